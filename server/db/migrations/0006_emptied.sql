-- When the words and pictures of a post that its author withdrew were destroyed. The row stays: replies, log and
-- tombstone point at it.
alter table post add column emptied_at timestamptz;
create index post_to_empty on post (withdrawn_at) where withdrawn_by = 'author' and emptied_at is null;
grant delete on post_edit to :app_role;

-- When everything a closed account wrote and favourited was withdrawn.
alter table account add column cleared_out_at timestamptz;
create index account_to_clear_out on account (gone_at) where gone_at is not null and cleared_out_at is null;
