CREATE TABLE `audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`at` integer NOT NULL,
	`file_id` text NOT NULL,
	`owner_id` text NOT NULL,
	`name` text NOT NULL,
	`action` text NOT NULL,
	`who` text NOT NULL,
	CONSTRAINT "audit_action" CHECK("audit"."action" in ('uploaded', 'downloaded', 'viewed', 'extended', 'changed', 'deleted', 'expired', 'refused'))
);
--> statement-breakpoint
CREATE INDEX `audit_file` ON `audit` (`file_id`,`id`);--> statement-breakpoint
CREATE INDEX `audit_owner` ON `audit` (`owner_id`,`id`);--> statement-breakpoint
CREATE INDEX `audit_at` ON `audit` (`at`);--> statement-breakpoint
CREATE TABLE `blobs` (
	`key` text PRIMARY KEY NOT NULL,
	`sha256` text NOT NULL,
	`size` integer NOT NULL,
	`crc32` integer,
	`state` text NOT NULL,
	`place` text NOT NULL,
	`created_at` integer NOT NULL,
	`checked_at` integer NOT NULL,
	CONSTRAINT "blobs_state" CHECK("blobs"."state" in ('live', 'unshared', 'deleting')),
	CONSTRAINT "blobs_place" CHECK("blobs"."place" in ('disk', 's3')),
	CONSTRAINT "blobs_sha256" CHECK(length("blobs"."sha256") = 64),
	CONSTRAINT "blobs_size" CHECK(typeof("blobs"."size") = 'integer' and "blobs"."size" >= 0)
);
--> statement-breakpoint
CREATE UNIQUE INDEX `blobs_content` ON `blobs` (`sha256`,`size`) WHERE "blobs"."state" = 'live';--> statement-breakpoint
CREATE INDEX `blobs_unshared` ON `blobs` (`sha256`,`size`) WHERE "blobs"."state" = 'unshared';--> statement-breakpoint
CREATE INDEX `blobs_deleting` ON `blobs` (`key`) WHERE "blobs"."state" = 'deleting';--> statement-breakpoint
CREATE INDEX `blobs_checked` ON `blobs` (`checked_at`) WHERE "blobs"."state" in ('live', 'unshared');--> statement-breakpoint
CREATE INDEX `blobs_place` ON `blobs` (`place`,`key`);--> statement-breakpoint
CREATE TABLE `download_sessions` (
	`file_id` text NOT NULL,
	`who` text NOT NULL,
	`started_at` integer NOT NULL,
	`last_at` integer NOT NULL,
	PRIMARY KEY(`file_id`, `who`),
	FOREIGN KEY (`file_id`) REFERENCES `files`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `download_sessions_last` ON `download_sessions` (`last_at`);--> statement-breakpoint
CREATE TABLE `keys` (
	`name` text PRIMARY KEY NOT NULL,
	`value` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `members` (
	`id` text PRIMARY KEY NOT NULL,
	`reminders_off` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `tokens` (
	`id` text PRIMARY KEY NOT NULL,
	`hash` text NOT NULL,
	`owner_id` text NOT NULL,
	`asker` text NOT NULL,
	`name` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	CONSTRAINT "tokens_asker" CHECK(json_valid("tokens"."asker"))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `tokens_hash` ON `tokens` (`hash`);--> statement-breakpoint
CREATE INDEX `tokens_owner` ON `tokens` (`owner_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `tokens_last_seen` ON `tokens` (case when "last_used_at" is null then "created_at" else "last_used_at" end);--> statement-breakpoint
DROP INDEX `files_owner`;--> statement-breakpoint
DROP INDEX `files_expiry`;--> statement-breakpoint
DROP INDEX `files_link_expiry`;--> statement-breakpoint
ALTER TABLE `files` ADD `parent_id` text;--> statement-breakpoint
ALTER TABLE `files` ADD `expected` integer;--> statement-breakpoint
ALTER TABLE `files` ADD `path` text;--> statement-breakpoint
ALTER TABLE `files` ADD `upload_key` text;--> statement-breakpoint
ALTER TABLE `files` ADD `length` integer;--> statement-breakpoint
ALTER TABLE `files` ADD `resume_until` integer;--> statement-breakpoint
ALTER TABLE `files` ADD `blob_key` text REFERENCES blobs(key);--> statement-breakpoint
ALTER TABLE `files` ADD `title` text;--> statement-breakpoint
ALTER TABLE `files` ADD `note` text;--> statement-breakpoint
ALTER TABLE `files` ADD `password_hash` text;--> statement-breakpoint
ALTER TABLE `files` ADD `max_downloads` integer;--> statement-breakpoint
ALTER TABLE `files` ADD `downloads` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `files` ADD `bundle_bytes` integer;--> statement-breakpoint
ALTER TABLE `files` ADD `expire_after` integer;--> statement-breakpoint
ALTER TABLE `files` ADD `asker` text;--> statement-breakpoint
ALTER TABLE `files` ADD `reminded_at` integer;--> statement-breakpoint
CREATE INDEX `files_parent` ON `files` (`parent_id`,`path`,`id`) WHERE "files"."parent_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `files_upload` ON `files` (`upload_key`) WHERE "files"."upload_key" is not null;--> statement-breakpoint
CREATE INDEX `files_blob` ON `files` (`blob_key`) WHERE "files"."blob_key" is not null;--> statement-breakpoint
CREATE INDEX `files_reminder` ON `files` (`expires_at`) WHERE "files"."state" = 'ready' and "files"."reminded_at" is null and "files"."parent_id" is null;--> statement-breakpoint
CREATE INDEX `files_bundles` ON `files` (`link_expires_at`) WHERE "files"."state" = 'pending' and "files"."expected" is not null;--> statement-breakpoint
CREATE INDEX `files_owner` ON `files` (`owner_id`,`created_at`,`id`,`size`,`parent_id`);--> statement-breakpoint
CREATE INDEX `files_expiry` ON `files` (`expires_at`) WHERE "files"."state" = 'ready' and "files"."parent_id" is null;--> statement-breakpoint
CREATE INDEX `files_link_expiry` ON `files` (`link_expires_at`,`id`) WHERE "files"."state" = 'pending';--> statement-breakpoint
-- Until now a file's bytes were kept under its id, and every file keeps its own: of several copies of the same bytes
-- any may have been damaged since, so none goes before somebody has looked. One of them, unseen too, is what the next
-- sender of the same gets; it is looked at then.
INSERT INTO `blobs` (`key`, `sha256`, `size`, `crc32`, `state`, `place`, `created_at`, `checked_at`)
	SELECT `id`, `sha256`, `size`, NULL,
		CASE WHEN row_number() OVER (PARTITION BY `sha256`, `size` ORDER BY `id`) = 1 THEN 'live' ELSE 'unshared' END,
		'disk', `ready_at`, `ready_at`
	FROM `files` WHERE `state` = 'ready';
--> statement-breakpoint
UPDATE `files` SET `upload_key` = `id` WHERE `state` <> 'pending';
--> statement-breakpoint
UPDATE `files` SET `blob_key` = `id` WHERE `state` = 'ready';
--> statement-breakpoint
CREATE TRIGGER `audit_is_final` BEFORE UPDATE ON `audit` BEGIN
	SELECT RAISE(ABORT, 'the audit is only ever added to');
END;
