-- Posts and boosts (one id space), what hangs on them, and who reads them.
create table post (
  id bigint primary key,
  account_id bigint not null references account (id),
  local boolean not null,
  uri text not null unique,
  url text not null,
  boost_of_id bigint references post (id),
  in_reply_to_id bigint,
  in_reply_to_account_id bigint,
  in_reply_to_uri text,
  thread_id bigint not null,
  visibility text not null check (visibility in ('public', 'unlisted', 'followers', 'direct')),
  html text not null default '',
  text text not null default '',
  source text,
  spoiler text not null default '',
  sensitive boolean not null default false,
  language text,
  app_id bigint,
  labels text[] not null default '{}',
  created_at timestamptz not null,
  edited_at timestamptz,
  withdrawn_at timestamptz,
  withdrawn_by text check (withdrawn_by in ('author', 'operator', 'organisation')),
  decision_id bigint not null,
  verdict text not null default 'cleared' check (verdict = 'cleared'),
  foreign key (decision_id, verdict) references compliance.decision (id, verdict)
);
create index post_account on post (account_id, id desc);
create unique index post_boost on post (account_id, boost_of_id) where boost_of_id is not null and withdrawn_at is null;
create index post_boost_of on post (boost_of_id, id desc) where boost_of_id is not null;
create index post_thread on post (thread_id, id);
create index post_reply on post (in_reply_to_id, id) where in_reply_to_id is not null;
create index post_reply_uri on post (in_reply_to_uri) where in_reply_to_id is null and in_reply_to_uri is not null;
-- Public timelines hold no boosts and no replies.
create index post_public on post (id desc)
  where visibility = 'public' and boost_of_id is null and in_reply_to_uri is null and withdrawn_at is null;
create index post_public_origin on post (local, id desc)
  where visibility = 'public' and boost_of_id is null and in_reply_to_uri is null and withdrawn_at is null;

-- What read paths select from: nothing withdrawn, nobody suspended or gone.
create view visible_post as
  select p.id, p.account_id, p.local, p.uri, p.url, p.boost_of_id, p.in_reply_to_id, p.in_reply_to_account_id, p.in_reply_to_uri,
    p.thread_id, p.visibility, p.html, p.text, p.source, p.spoiler, p.sensitive, p.language, p.app_id, p.labels, p.created_at,
    p.edited_at, p.decision_id
  from post p
  -- One look into an index of the few who are hidden; as a join it costs every timeline the row of every author. The planner
  -- takes this for a coin toss; `is null` or `not exists` it takes for so rare or so cheap that it reads and sorts whole tables.
  where p.withdrawn_at is null and coalesce((
    select false from account a
    where a.id = p.account_id and (a.suspended_at is not null or a.gone_at is not null)), true);

-- Room is left in each page, so that counting moves no index entry.
create table post_count (
  post_id bigint primary key references post (id),
  replies int not null default 0,
  boosts int not null default 0,
  likes int not null default 0
) with (fillfactor = 80);

-- Words that were replaced: version 0 is the first, and the newest stand in `post`. Each keeps the decision that cleared it.
create table post_edit (
  post_id bigint not null references post (id),
  version int not null,
  html text not null,
  text text not null,
  spoiler text not null,
  sensitive boolean not null,
  media jsonb not null default '[]',
  decision_id bigint not null,
  verdict text not null default 'cleared' check (verdict = 'cleared'),
  created_at timestamptz not null,
  primary key (post_id, version),
  foreign key (decision_id, verdict) references compliance.decision (id, verdict)
);

-- People named in a post, or only addressed by it (`silent`): both may read it.
create table mention (
  post_id bigint not null references post (id),
  account_id bigint not null references account (id),
  silent boolean not null default false,
  primary key (post_id, account_id)
);
create index mention_account on mention (account_id, post_id desc);

create table tag (
  id bigint primary key,
  name text not null unique,
  shown text not null
);
create index tag_prefix on tag (name text_pattern_ops);
create table post_tag (
  tag_id bigint not null references tag (id),
  post_id bigint not null references post (id),
  shown text not null,
  position int not null default 0,
  primary key (tag_id, post_id)
);
create index post_tag_post on post_tag (post_id);

create table media (
  id bigint primary key,
  account_id bigint not null references account (id),
  post_id bigint references post (id),
  position smallint not null default 0,
  kind text not null default 'image' check (kind in ('image', 'video', 'audio', 'unknown')),
  mime text not null,
  file text,
  preview_file text,
  remote_url text,
  width int,
  height int,
  preview_width int,
  preview_height int,
  bytes int,
  description text not null default '',
  focus_x real,
  focus_y real,
  blurhash text,
  decision_id bigint not null,
  verdict text not null default 'cleared' check (verdict = 'cleared'),
  created_at timestamptz not null,
  foreign key (decision_id, verdict) references compliance.decision (id, verdict)
);
create index media_post on media (post_id, position) where post_id is not null;
create index media_account on media (account_id, post_id desc) where post_id is not null;
create index media_loose on media (created_at) where post_id is null;
create index media_file on media (file) where file is not null;

create table reaction (
  account_id bigint not null references account (id),
  post_id bigint not null references post (id),
  id bigint not null,
  uri text not null,
  decision_id bigint not null,
  verdict text not null default 'cleared' check (verdict = 'cleared'),
  created_at timestamptz not null,
  primary key (account_id, post_id),
  foreign key (decision_id, verdict) references compliance.decision (id, verdict)
);
create unique index reaction_id on reaction (account_id, id desc);
create index reaction_post on reaction (post_id, id desc);
create index reaction_uri on reaction (uri);

create table bookmark (
  account_id bigint not null references account (id),
  post_id bigint not null references post (id),
  id bigint not null,
  primary key (account_id, post_id)
);
create unique index bookmark_id on bookmark (account_id, id desc);

create table follow (
  follower_id bigint not null references account (id),
  followee_id bigint not null references account (id),
  id bigint not null unique,
  uri text not null,
  state text not null check (state in ('requested', 'accepted')),
  boosts boolean not null default true,
  notify boolean not null default false,
  decision_id bigint not null,
  verdict text not null default 'cleared' check (verdict = 'cleared'),
  created_at timestamptz not null,
  primary key (follower_id, followee_id),
  foreign key (decision_id, verdict) references compliance.decision (id, verdict)
);
create index follow_followee on follow (followee_id, id desc) where state = 'accepted';
create index follow_notified on follow (followee_id) where notify and state = 'accepted';
create index follow_requested on follow (followee_id, id desc) where state = 'requested';
create index follow_follower on follow (follower_id, id desc);
create index follow_uri on follow (uri);

create table block (
  account_id bigint not null references account (id),
  target_id bigint not null references account (id),
  id bigint not null unique,
  uri text not null,
  created_at timestamptz not null,
  primary key (account_id, target_id)
);
create index block_target on block (target_id);
create index block_uri on block (uri);
create index block_account on block (account_id, id desc);

create table mute (
  account_id bigint not null references account (id),
  target_id bigint not null references account (id),
  id bigint not null unique,
  notifications boolean not null default true,
  expires_at timestamptz,
  created_at timestamptz not null,
  primary key (account_id, target_id)
);
create index mute_account on mute (account_id, id desc);

-- Home timelines, written when a post is, for people seen lately. A row says only where a post belongs: whether it is shown is
-- asked when it is read, so rows of withdrawn posts may stay until they are trimmed.
create table feed (
  owner_id bigint not null,
  post_id bigint not null,
  primary key (owner_id, post_id)
);

create table notification (
  id bigint primary key,
  account_id bigint not null references account (id),
  kind text not null check (kind in ('mention', 'status', 'reblog', 'follow', 'follow_request', 'favourite', 'update', 'decision')),
  from_id bigint references account (id),
  post_id bigint references post (id),
  decision_id bigint,
  created_at timestamptz not null
);
create index notification_account on notification (account_id, id desc);
create unique index notification_once on notification (account_id, kind, from_id, post_id)
  where kind in ('mention', 'reblog', 'favourite', 'status');
create unique index notification_follow_once on notification (account_id, kind, from_id) where kind in ('follow', 'follow_request');

create table marker (
  account_id bigint not null references member (account_id),
  timeline text not null check (timeline in ('home', 'notifications')),
  last_read_id bigint not null,
  version int not null default 1,
  updated_at timestamptz not null,
  primary key (account_id, timeline)
);

-- An answer given once is the answer given again.
create table idempotency (
  account_id bigint not null,
  key text not null,
  post_id bigint,
  decision_id bigint,
  case_id bigint,
  created_at timestamptz not null,
  primary key (account_id, key)
);
create index idempotency_age on idempotency (created_at);

grant select, insert, update on post, post_count, post_edit, tag, media, follow, idempotency to :app_role;
grant select on visible_post to :app_role;
grant select, insert, update, delete on mention, post_tag, reaction, bookmark, block, mute, feed, notification, marker to :app_role;
grant delete on follow, media, idempotency to :app_role;
