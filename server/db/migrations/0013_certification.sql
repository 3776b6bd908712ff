-- Articles 8 and 10 paragraph 1: applications for a certified account, what was decided, and how long it holds.
set lock_timeout = '10s';

-- Which papers each kind of subject must bring: the operator's data, versioned. An application keeps the
-- version that it began with.
create table compliance.paperwork (
  version bigint generated always as identity primary key,
  body text not null,
  origin text not null check (origin in ('shipped', 'operator')),
  imported_by bigint,
  imported_at timestamptz not null
);

-- What identifies somebody is in `sealed` while it is a draft and in the vault from then on; `claims` holds what
-- may be read: descriptions, dates, masked numbers. The indexes are blind.
create table compliance.application (
  id bigint primary key,
  account_id bigint not null,
  by_id bigint not null,
  class text not null check (class in
    ('individual', 'enterprise', 'institution', 'government', 'social', 'media', 'foreign')),
  kind text not null,
  paperwork bigint not null references compliance.paperwork (version),
  renews_id bigint,
  state text not null default 'draft' check (state in
    ('draft', 'submitted', 'more', 'second', 'approved', 'declined', 'withdrawn')),
  claims jsonb not null default '{}',
  sealed bytea,
  papers bigint[] not null default '{}',
  slots jsonb not null default '{}',
  uscc_index bytea,
  name_index bytea,
  organisation_index bytea,
  question text,
  first_by bigint,
  first_at timestamptz,
  first_note text,
  taken_by bigint,
  taken_until timestamptz,
  barred bigint[] not null default '{}',
  decided_by bigint,
  decided_at timestamptz,
  decision_id bigint,
  ground text,
  statement text,
  agreement jsonb not null default '{}',
  created_at timestamptz not null,
  submitted_at timestamptz,
  updated_at timestamptz not null,
  shredded_at timestamptz
);
create unique index application_open on compliance.application (account_id)
  where state in ('draft', 'submitted', 'more', 'second');
create index application_waiting on compliance.application (submitted_at, id) where state in ('submitted', 'second');
create index application_account on compliance.application (account_id, id);
create index application_uscc on compliance.application (uscc_index) where uscc_index is not null;
create index application_decided on compliance.application (decided_at)
  where shredded_at is null and state in ('approved', 'declined', 'withdrawn');

-- What happened to an application, for whoever made it and whoever decides it.
create table compliance.application_step (
  id bigint primary key,
  application_id bigint not null references compliance.application (id),
  state text not null,
  by_id bigint,
  words text not null default '',
  at timestamptz not null
);
create index application_step_of on compliance.application_step (application_id, id);

-- `unsettled` is set in the transaction of each change: whoever shows the mark and tells other servers clears it.
create table compliance.certification (
  id bigint primary key,
  account_id bigint not null,
  class text not null check (class in
    ('individual', 'enterprise', 'institution', 'government', 'social', 'media', 'foreign')),
  kind text not null,
  label text not null,
  registered_name text,
  province text,
  application_id bigint not null references compliance.application (id),
  state text not null check (state in ('active', 'expired', 'revoked')),
  certified_at timestamptz not null,
  renewed_at timestamptz,
  expires_at timestamptz not null,
  checked_by text not null,
  revoked_at timestamptz,
  revoked_by bigint,
  revoked_reason text,
  decision_id bigint,
  told_days smallint,
  unsettled boolean not null default true,
  updated_at timestamptz not null
);
create unique index certification_active on compliance.certification (account_id) where state = 'active';
create index certification_account on compliance.certification (account_id, id);
create index certification_expiry on compliance.certification (expires_at) where state = 'active';
create index certification_unsettled on compliance.certification (id) where unsettled;
create index certification_class on compliance.certification (class, province) where state = 'active';

-- A real name that somebody with many readers agreed to show to verified people who are logged in. A copy of
-- its own, given freely and taken back at will; the vault is not asked.
create table compliance.front_name (
  account_id bigint primary key,
  state text not null check (state in ('asked', 'shown', 'hidden')),
  sealed bytea,
  asked_at timestamptz,
  agreed_at timestamptz,
  updated_at timestamptz not null,
  check ((state = 'shown') = (sealed is not null))
);

grant select, insert on compliance.paperwork, compliance.application_step to :app_role;
grant select, insert, update on compliance.application, compliance.certification, compliance.front_name to :app_role;
