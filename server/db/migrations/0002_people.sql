-- Accounts here and elsewhere, the people who log in, their sessions and apps.
create table account (
  id bigint primary key,
  username text not null,
  host text,
  uri text not null unique,
  url text not null,
  actor_type text not null default 'Person',
  inbox text not null,
  shared_inbox text,
  outbox text,
  followers text,
  following text,
  featured text,
  created_at timestamptz not null,
  fetched_at timestamptz,
  suspended_at timestamptz,
  suspended_reason text,
  gone_at timestamptz,
  memorial boolean not null default false
);
create unique index account_local_name on account (lower(username)) where host is null;
create unique index account_remote_name on account (lower(username), host) where host is not null;
create index account_hidden on account (id) where suspended_at is not null or gone_at is not null;
create index account_host on account (host) where host is not null;
create index account_name_trgm on account using gin (lower(username) gin_trgm_ops);

-- What an account shows of itself: only what the gate has cleared.
create table profile (
  account_id bigint primary key references account (id),
  display_name text not null default '',
  html text not null default '',
  text text not null default '',
  source text,
  fields jsonb not null default '[]',
  avatar_media_id bigint,
  avatar_url text,
  header_media_id bigint,
  header_url text,
  locked boolean not null default false,
  bot boolean not null default false,
  discoverable boolean not null default true,
  indexable boolean not null default false,
  decision_id bigint not null,
  verdict text not null default 'cleared' check (verdict = 'cleared'),
  updated_at timestamptz not null,
  foreign key (decision_id, verdict) references compliance.decision (id, verdict)
);
create index profile_name_trgm on profile using gin (lower(display_name) gin_trgm_ops);

create table account_count (
  account_id bigint primary key references account (id),
  posts bigint not null default 0,
  followers bigint not null default 0,
  following bigint not null default 0,
  last_post_at timestamptz
) with (fillfactor = 80);

-- Keys that sign for an account. The private half is sealed, and there only for our own.
create table actor_key (
  key_id text primary key,
  account_id bigint not null references account (id),
  public_pem text not null,
  private_sealed bytea,
  created_at timestamptz not null
);
create index actor_key_account on actor_key (account_id);

-- People who log in here.
create table member (
  account_id bigint primary key references account (id),
  email_sealed bytea not null,
  email_index bytea not null unique,
  email_confirmed_at timestamptz,
  password text not null,
  locale text not null default 'zh-CN',
  created_at timestamptz not null,
  seen_at timestamptz,
  totp_sealed bytea,
  totp_enabled_at timestamptz,
  totp_last_step bigint,
  recovery_codes bytea[] not null default '{}',
  preferences jsonb not null default '{}'
) with (fillfactor = 80);
create index member_seen on member (seen_at);

create table member_role (
  account_id bigint not null references member (account_id),
  role text not null check (role in ('reviewer', 'compliance', 'editor', 'auditor', 'admin')),
  granted_by bigint,
  granted_at timestamptz not null,
  primary key (account_id, role)
);

-- A page session. Only a digest of the cookie is kept.
create table session (
  token_hash bytea primary key,
  id bigint not null unique,
  account_id bigint not null references member (account_id),
  csrf bytea not null,
  created_at timestamptz not null,
  seen_at timestamptz not null,
  expires_at timestamptz not null,
  confirmed_at timestamptz,
  address inet,
  client text not null default ''
);
create index session_account on session (account_id);
create index session_expiry on session (expires_at);

-- Links sent by mail: confirm an address, set a new password, make the first operator.
create table mail_link (
  token_hash bytea primary key,
  account_id bigint references member (account_id),
  purpose text not null check (purpose in ('confirm', 'reset', 'first-operator')),
  email_sealed bytea,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index mail_link_account on mail_link (account_id, purpose);

-- Counters of attempts that must hold across processes: log-ins, codes, mails.
create table attempt (
  subject text not null,
  window_start timestamptz not null,
  count int not null,
  primary key (subject, window_start)
);
create index attempt_age on attempt (window_start);

create table oauth_app (
  id bigint primary key,
  name text not null,
  website text,
  redirect_uris text[] not null,
  scopes text[] not null,
  client_id text not null unique,
  client_secret_hash bytea not null,
  created_at timestamptz not null
);
create table oauth_code (
  code_hash bytea primary key,
  app_id bigint not null references oauth_app (id),
  account_id bigint not null references member (account_id),
  redirect_uri text not null,
  scopes text[] not null,
  challenge text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index oauth_code_expiry on oauth_code (expires_at);
create table oauth_token (
  token_hash bytea primary key,
  id bigint not null unique,
  app_id bigint not null references oauth_app (id),
  account_id bigint references member (account_id),
  scopes text[] not null,
  code_hash bytea,
  created_at timestamptz not null,
  used_at timestamptz,
  revoked_at timestamptz
);
create index oauth_token_account on oauth_token (account_id) where revoked_at is null;
create index oauth_token_code on oauth_token (code_hash) where code_hash is not null;

grant select, insert, update on account, profile, account_count, actor_key, member, oauth_app, oauth_code, oauth_token to :app_role;
grant delete on actor_key, oauth_code to :app_role;
grant select, insert, update, delete on member_role, session, mail_link, attempt to :app_role;
