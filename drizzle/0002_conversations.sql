CREATE TABLE `attempts` (
	`id` text PRIMARY KEY NOT NULL,
	`turn_id` text NOT NULL,
	`user_id` text NOT NULL,
	`guild_id` text,
	`channel_id` text NOT NULL,
	`model` text NOT NULL,
	`host` text NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`input_tokens` integer,
	`output_tokens` integer,
	`queue_ms` integer NOT NULL,
	`first_token_ms` integer,
	`duration_ms` integer,
	`outcome` text,
	`trace_id` text NOT NULL,
	`vote` integer DEFAULT 0 NOT NULL,
	`question` text,
	`answer` text,
	CONSTRAINT "attempts_ended" CHECK(("attempts"."ended_at" is null) = ("attempts"."outcome" is null)),
	CONSTRAINT "attempts_vote" CHECK("attempts"."vote" in (-1, 0, 1))
);
--> statement-breakpoint
CREATE INDEX `attempts_turn` ON `attempts` (`turn_id`);--> statement-breakpoint
CREATE INDEX `attempts_user` ON `attempts` (`user_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `attempts_guild` ON `attempts` (`guild_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `attempts_newest` ON `attempts` (`created_at`);--> statement-breakpoint
CREATE INDEX `attempts_running` ON `attempts` (`id`) WHERE "attempts"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `attempts_votes` ON `attempts` (`guild_id`,`model`,`vote`) WHERE "attempts"."outcome" = 'ok';--> statement-breakpoint
CREATE TABLE `llm_usage` (
	`who` text NOT NULL,
	`since` integer NOT NULL,
	`requests` integer NOT NULL,
	`tokens` integer NOT NULL,
	`gpu_ms` integer NOT NULL,
	PRIMARY KEY(`who`, `since`),
	CONSTRAINT "llm_usage_numbers" CHECK("llm_usage"."requests" >= 0 and "llm_usage"."tokens" >= 0 and "llm_usage"."gpu_ms" >= 0)
);
--> statement-breakpoint
CREATE INDEX `llm_usage_since` ON `llm_usage` (`since`);--> statement-breakpoint
CREATE TABLE `personas` (
	`place_id` text NOT NULL,
	`guild_id` text NOT NULL,
	`version` integer NOT NULL,
	`text` text NOT NULL,
	`author_id` text,
	`created_at` integer NOT NULL,
	PRIMARY KEY(`place_id`, `version`),
	CONSTRAINT "personas_version" CHECK("personas"."version" >= 1)
);
--> statement-breakpoint
CREATE INDEX `personas_author` ON `personas` (`author_id`) WHERE "personas"."author_id" is not null;--> statement-breakpoint
CREATE TABLE `places` (
	`place_id` text PRIMARY KEY NOT NULL,
	`guild_id` text NOT NULL,
	`model` text,
	`off` integer DEFAULT false NOT NULL,
	`threads` integer DEFAULT false NOT NULL,
	`free_response` integer DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE `turn_images` (
	`turn_id` text NOT NULL,
	`position` integer NOT NULL,
	`bytes` blob NOT NULL,
	PRIMARY KEY(`turn_id`, `position`),
	FOREIGN KEY (`turn_id`) REFERENCES `turns`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE TABLE `turn_messages` (
	`message_id` text PRIMARY KEY NOT NULL,
	`turn_id` text NOT NULL,
	FOREIGN KEY (`turn_id`) REFERENCES `turns`(`id`) ON UPDATE no action ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `turn_messages_turn` ON `turn_messages` (`turn_id`);--> statement-breakpoint
CREATE TABLE `turns` (
	`id` text PRIMARY KEY NOT NULL,
	`conversation` text NOT NULL,
	`parent_id` text,
	`depth` integer NOT NULL,
	`tokens` integer NOT NULL,
	`user_id` text NOT NULL,
	`user_name` text NOT NULL,
	`model` text NOT NULL,
	`state` text NOT NULL,
	`place` text NOT NULL,
	`created_at` integer NOT NULL,
	`ended_at` integer,
	`error_code` text,
	`vote` integer DEFAULT 0 NOT NULL,
	`question` text NOT NULL,
	`documents` text NOT NULL,
	`text` text DEFAULT '' NOT NULL,
	`thinking` text DEFAULT '' NOT NULL,
	CONSTRAINT "turns_state" CHECK("turns"."state" in ('queued', 'answering', 'done', 'stopped', 'failed', 'interrupted')),
	CONSTRAINT "turns_ended" CHECK(("turns"."ended_at" is null) = ("turns"."state" in ('queued', 'answering'))),
	CONSTRAINT "turns_place" CHECK(json_valid("turns"."place")),
	CONSTRAINT "turns_numbers" CHECK("turns"."depth" >= 0 and "turns"."tokens" >= 0 and "turns"."vote" in (-1, 0, 1))
);
--> statement-breakpoint
CREATE INDEX `turns_unfinished` ON `turns` (`created_at`) WHERE "turns"."ended_at" is null;--> statement-breakpoint
CREATE INDEX `turns_ended` ON `turns` (`ended_at`) WHERE "turns"."ended_at" is not null;--> statement-breakpoint
CREATE INDEX `turns_said` ON `turns` (`conversation`,`created_at`,`id`) WHERE "turns"."text" <> '';--> statement-breakpoint
CREATE INDEX `turns_channel` ON `turns` (`user_id`,"place" ->> '$.channelId');--> statement-breakpoint
CREATE INDEX `turns_user` ON `turns` (`user_id`,`created_at`,`id`);--> statement-breakpoint
ALTER TABLE `members` ADD `model` text;--> statement-breakpoint
-- Of an answer nothing was kept but its place: those that run as the upgrade comes are marked at the next start. The
-- rest of them nobody needs any more.
INSERT INTO `turns` (`id`, `conversation`, `depth`, `tokens`, `user_id`, `user_name`, `model`, `state`, `place`, `created_at`, `question`, `documents`)
	SELECT `id`, `id`, 0, 0, `user_id`, '', `model`, `state`, `place`, `created_at`, '', ''
	FROM `answers` WHERE `ended_at` IS NULL;
--> statement-breakpoint
INSERT OR IGNORE INTO `turn_messages` (`message_id`, `turn_id`)
	SELECT `place` ->> '$.messageId', `id`
	FROM `answers` WHERE `ended_at` IS NULL AND `place` ->> '$.messageId' IS NOT NULL;
--> statement-breakpoint
DROP TABLE `answers`;
