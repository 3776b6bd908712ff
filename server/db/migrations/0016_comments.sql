-- Comments under one's own posts (Article 10 paragraph 2): who may write them, what becomes of them, and who decides.
-- A reply is answered for by whoever wrote the thread's first post, and by whoever wrote what it answers directly.

create table compliance.comment_policy (
  account_id bigint primary key,
  who text not null default 'anyone' check (who in ('anyone', 'followers', 'followed', 'mentioned', 'nobody')),
  mode text not null default 'open' check (mode in ('open', 'filtered', 'reviewed')),
  sensitivity text not null default 'off' check (sensitivity in ('off', 'careful', 'strict')),
  words text[] not null default '{}',
  updated_at timestamptz not null
);
-- What one post has instead of its author's policy; null is as the policy says.
create table compliance.comment_override (
  post_id bigint primary key,
  who text check (who in ('anyone', 'followers', 'followed', 'mentioned', 'nobody')),
  mode text check (mode in ('open', 'filtered', 'reviewed')),
  updated_at timestamptz not null
);
create table compliance.comment_block (
  owner_id bigint not null,
  account_id bigint not null,
  statement text not null,
  by_id bigint not null,
  decision_id bigint,
  created_at timestamptz not null,
  primary key (owner_id, account_id)
);
create index comment_block_decision on compliance.comment_block (decision_id) where decision_id is not null;

-- One row for each reply and each account that answers for it. `payload` is the whole activity of a local author while others
-- have not got it yet; `request` is another server's question, to be named in the answer.
create table compliance.comment (
  post_id bigint not null,
  owner_id bigint not null,
  author_id bigint not null,
  thread_id bigint not null,
  state text not null check (state in ('waiting', 'shown', 'hidden', 'removed')),
  pinned_at timestamptz,
  payload bytea,
  request text,
  "authorization" text,
  decision_id bigint,
  decided_at timestamptz,
  decided_by bigint,
  waited boolean not null default false,
  ordered boolean not null default false,
  created_at timestamptz not null,
  primary key (post_id, owner_id)
);
create index comment_owner on compliance.comment (owner_id, post_id desc);
create index comment_state on compliance.comment (owner_id, state, post_id desc);
create index comment_author on compliance.comment (owner_id, author_id);
create index comment_thread on compliance.comment (thread_id, owner_id, post_id desc);
create index comment_pinned on compliance.comment (thread_id) where pinned_at is not null;
create index comment_decided on compliance.comment (owner_id, decided_at) where waited and decided_at is not null;
create index comment_decision on compliance.comment (decision_id) where decision_id is not null;

-- A reply that another server's account took away before it came here.
create table compliance.comment_removal (
  uri text not null,
  owner_id bigint not null,
  at timestamptz not null,
  primary key (uri, owner_id)
);
-- Who may answer a post of another server, where it says so.
create table compliance.reply_control (
  post_id bigint primary key,
  automatic text[] not null,
  manual text[] not null
);

-- Of the rows of `compliance.comment`, what read paths need: `waits` is seen by its author and those who answer for it alone,
-- `hidden` does not stand under what it answers. Plain columns, so that a timeline asks no other table.
alter table post add column waits boolean not null default false;
alter table post add column hidden boolean not null default false;
-- Words of removed comments are destroyed once nobody can appeal any more.
create index post_to_empty_removed on post (withdrawn_at) where withdrawn_by = 'organisation' and emptied_at is null;
create or replace view visible_post as
  select p.id, p.account_id, p.local, p.uri, p.url, p.boost_of_id, p.in_reply_to_id, p.in_reply_to_account_id, p.in_reply_to_uri,
    p.thread_id, p.visibility, p.html, p.text, p.source, p.spoiler, p.sensitive, p.language, p.app_id, p.labels, p.created_at,
    p.edited_at, p.decision_id, p.waits, p.hidden
  from post p
  -- As in 0003: one look into an index of the few who are hidden, and a coin toss for the planner.
  where p.withdrawn_at is null and coalesce((
    select false from account a
    where a.id = p.account_id and (a.suspended_at is not null or a.gone_at is not null)), true);

-- Replies of before are comments too.
insert into compliance.comment (post_id, owner_id, author_id, thread_id, state, created_at)
select p.id, o.account_id, p.account_id, p.thread_id, 'shown', p.created_at
from post p join post o on o.id in (p.thread_id, p.in_reply_to_id) and o.local
where p.in_reply_to_id is not null and p.withdrawn_at is null and p.visibility <> 'direct' and o.id <> p.id
  and o.account_id <> p.account_id
  and not exists (select from post r where r.id = p.thread_id and r.account_id = p.account_id)
on conflict do nothing;

grant select, insert, update, delete on compliance.comment_policy, compliance.comment_override, compliance.comment_block,
  compliance.comment, compliance.reply_control to :app_role;
grant select, insert on compliance.comment_removal to :app_role;
