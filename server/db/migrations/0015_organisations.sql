-- Organisations (Article 10, paragraph 2): an account without a member row, and the people who act for it, each by the own login.
create table compliance.organisation (
  account_id bigint primary key,
  kind text not null check (kind in ('enterprise', 'institution', 'government', 'social', 'media', 'foreign')),
  name text not null,
  four_eyes boolean not null default false,
  created_by bigint,
  created_at timestamptz not null,
  seen_at timestamptz,
  suspended_at timestamptz,
  suspended_by bigint,
  suspended_reason text,
  suspension_id bigint references compliance.decision (id)
) with (fillfactor = 80);

create table compliance.organisation_member (
  organisation_id bigint not null references compliance.organisation (account_id),
  account_id bigint not null,
  role text not null check (role in ('owner', 'editor', 'moderator', 'analyst')),
  state text not null check (state in ('invited', 'active', 'declined', 'left', 'removed')),
  invited_by bigint,
  invited_at timestamptz not null,
  changed_at timestamptz not null,
  primary key (organisation_id, account_id)
);
create index organisation_member_person on compliance.organisation_member (account_id) where state in ('invited', 'active');

-- Handing an organisation on takes days, so that the other owners hear of it first; lost owners are replaced by two operators.
create table compliance.organisation_transfer (
  id bigint primary key,
  organisation_id bigint not null references compliance.organisation (account_id),
  kind text not null check (kind in ('transfer', 'grant')),
  from_id bigint,
  to_id bigint not null,
  reason text not null default '',
  requested_by bigint not null,
  requested_at timestamptz not null,
  due_at timestamptz,
  state text not null check (state in ('waiting', 'done', 'cancelled', 'failed')),
  decided_by bigint,
  decided_at timestamptz,
  check ((kind = 'transfer') = (due_at is not null))
);
create unique index organisation_transfer_one on compliance.organisation_transfer (organisation_id, kind) where state = 'waiting';
create index organisation_transfer_due on compliance.organisation_transfer (due_at) where state = 'waiting';

grant select, insert, update on compliance.organisation, compliance.organisation_member, compliance.organisation_transfer to :app_role;

-- Posts that are to appear at their time, each once.
create table scheduled_post (
  id bigint primary key,
  account_id bigint not null references account (id),
  by_id bigint,
  approved_by bigint,
  draft jsonb not null,
  due_at timestamptz not null,
  state text not null default 'waiting' check (state in ('waiting', 'published', 'held', 'failed', 'cancelled')),
  failure text,
  claimed_until timestamptz,
  decision_id bigint,
  post_id bigint,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  check ((state = 'failed') = (failure is not null))
);
create index scheduled_post_due on scheduled_post (due_at) where state = 'waiting';
create index scheduled_post_account on scheduled_post (account_id, id desc);

-- What an organisation's people write before it is published.
create table organisation_draft (
  id bigint primary key,
  organisation_id bigint not null references account (id),
  author_id bigint not null references account (id),
  draft jsonb not null,
  state text not null default 'draft' check (state in (
    'draft', 'submitted', 'approved', 'scheduled', 'published', 'discarded')),
  note text not null default '',
  approved_by bigint,
  approved_at timestamptz,
  scheduled_id bigint references scheduled_post (id),
  edits_id bigint references post (id),
  post_id bigint,
  created_at timestamptz not null,
  changed_at timestamptz not null
);
create index organisation_draft_open on organisation_draft (organisation_id, id desc)
  where state in ('draft', 'submitted', 'approved', 'scheduled');
create index organisation_draft_post on organisation_draft (post_id) where post_id is not null;
grant select, insert, update on scheduled_post, organisation_draft to :app_role;

-- For whom a person acts: in a session at the moment, by a token for as long as it holds.
alter table session add column acting_for bigint;
alter table oauth_code add column acting_for bigint;
alter table oauth_token add column acting_for bigint;

-- An organisation reads too, and has no member row.
alter table marker drop constraint marker_account_id_fkey;
alter table marker add constraint marker_account_id_fkey foreign key (account_id) references account (id);
