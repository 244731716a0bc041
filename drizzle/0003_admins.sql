CREATE TABLE `admin_keys` (
	`link_hash` text PRIMARY KEY NOT NULL,
	`session_hash` text,
	`ends_at` integer NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `admin_keys_session` ON `admin_keys` (`session_hash`) WHERE "admin_keys"."session_hash" is not null;--> statement-breakpoint
CREATE INDEX `admin_keys_ends` ON `admin_keys` (`ends_at`);