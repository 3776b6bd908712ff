-- A client that lost the answer asks again with the same key: one request, one scheduled post.
alter table scheduled_post add column key text;
create unique index scheduled_post_key on scheduled_post (account_id, key) where key is not null;
