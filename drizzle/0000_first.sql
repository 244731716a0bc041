CREATE TABLE `announcements` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`file_id` text NOT NULL,
	`owner_id` text NOT NULL,
	`origin` text,
	`created_at` integer NOT NULL,
	`attempts` integer NOT NULL,
	`due_at` integer NOT NULL,
	`failed_at` integer,
	FOREIGN KEY (`file_id`) REFERENCES `files`(`id`) ON UPDATE no action ON DELETE cascade,
	CONSTRAINT "announcements_attempts" CHECK("announcements"."attempts" >= 0),
	CONSTRAINT "announcements_origin" CHECK("announcements"."origin" is null or json_valid("announcements"."origin"))
);
--> statement-breakpoint
CREATE INDEX `announcements_file` ON `announcements` (`file_id`);--> statement-breakpoint
CREATE INDEX `announcements_due` ON `announcements` (`due_at`) WHERE "announcements"."failed_at" is null;--> statement-breakpoint
CREATE INDEX `announcements_failed` ON `announcements` (`failed_at`) WHERE "announcements"."failed_at" is not null;--> statement-breakpoint
CREATE TABLE `answers` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`state` text NOT NULL,
	`model` text NOT NULL,
	`place` text NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`input_tokens` integer,
	`output_tokens` integer,
	`error_code` text,
	CONSTRAINT "answers_state" CHECK("answers"."state" in ('queued', 'answering', 'done', 'stopped', 'failed', 'interrupted')),
	CONSTRAINT "answers_ended" CHECK(("answers"."ended_at" is null) = ("answers"."state" in ('queued', 'answering'))),
	CONSTRAINT "answers_place" CHECK(json_valid("answers"."place"))
);
--> statement-breakpoint
CREATE INDEX `answers_unfinished` ON `answers` (`created_at`) WHERE "answers"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `answers_ended` ON `answers` (`ended_at`) WHERE "answers"."ended_at" is not null;--> statement-breakpoint
CREATE TABLE `files` (
	`id` text PRIMARY KEY NOT NULL,
	`ticket_hash` text,
	`owner_id` text NOT NULL,
	`state` text NOT NULL,
	`name` text,
	`size` integer NOT NULL,
	`content_type` text,
	`sha256` text,
	`origin` text,
	`created_at` integer NOT NULL,
	`link_expires_at` integer,
	`ready_at` integer,
	`expires_at` integer,
	`alive_at` integer,
	CONSTRAINT "files_state" CHECK("files"."state" in ('pending', 'uploading', 'ready', 'deleting')),
	CONSTRAINT "files_size" CHECK(typeof("files"."size") = 'integer' and "files"."size" >= 0),
	CONSTRAINT "files_origin" CHECK("files"."origin" is null or json_valid("files"."origin")),
	CONSTRAINT "files_pending" CHECK("files"."state" <> 'pending' or ("files"."ticket_hash" is not null and "files"."link_expires_at" is not null and "files"."size" = 0)),
	CONSTRAINT "files_uploading" CHECK("files"."state" <> 'uploading' or ("files"."name" is not null and "files"."alive_at" is not null)),
	CONSTRAINT "files_ready" CHECK("files"."state" <> 'ready' or ("files"."name" is not null and "files"."content_type" is not null and "files"."sha256" is not null and length("files"."sha256") = 64 and "files"."ready_at" is not null and "files"."expires_at" is not null))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `files_ticket` ON `files` (`ticket_hash`);--> statement-breakpoint
CREATE INDEX `files_newest` ON `files` (`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `files_owner` ON `files` (`owner_id`,`created_at`,`id`,`size`);--> statement-breakpoint
CREATE INDEX `files_expiry` ON `files` (`expires_at`) WHERE "files"."state" = 'ready';--> statement-breakpoint
CREATE INDEX `files_link_expiry` ON `files` (`link_expires_at`) WHERE "files"."state" = 'pending';--> statement-breakpoint
CREATE INDEX `files_uploading` ON `files` (`created_at`,`id`) WHERE "files"."state" = 'uploading';--> statement-breakpoint
CREATE INDEX `files_deleting` ON `files` (`created_at`,`id`) WHERE "files"."state" = 'deleting';--> statement-breakpoint
CREATE TABLE `tombstones` (
	`ticket_hash` text PRIMARY KEY NOT NULL,
	`outcome` text NOT NULL,
	`file_id` text NOT NULL,
	`at` integer NOT NULL,
	CONSTRAINT "tombstones_outcome" CHECK("tombstones"."outcome" in ('used', 'expired'))
);
--> statement-breakpoint
CREATE INDEX `tombstones_at` ON `tombstones` (`at`);