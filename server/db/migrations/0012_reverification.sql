-- Ways to be verified that others vouch for, and being asked to verify again.

-- A person on the way to an identity provider and back. Of the state only a digest is here; the nonce and the verifier are made
-- from it. Tied to the browser's session, so that nobody else's browser can end what this one began.
create table oidc_flow (
  state_hash bytea primary key,
  account_id bigint not null references member (account_id),
  session_hash bytea not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index oidc_flow_expiry on oidc_flow (expires_at);
create index oidc_flow_account on oidc_flow (account_id);

-- What somebody was told of a due date, once each: 30, 7 and 1 days before it, on it, and before publishing ends.
create table compliance.identity_reminder (
  account_id bigint not null,
  due_at timestamptz not null,
  step text not null check (step in ('30', '7', '1', 'due', 'lapse')),
  told_at timestamptz not null,
  primary key (account_id, due_at, step)
);
create index identity_reminder_age on compliance.identity_reminder (told_at);

-- The operator asks a group to verify again. Who is in it is settled when it starts.
create table compliance.campaign (
  id bigint primary key,
  title text not null,
  reason text not null,
  audience jsonb not null,
  deadline timestamptz not null,
  grace_days int not null check (grace_days between 0 and 180),
  state text not null default 'draft' check (state in ('draft', 'running', 'closed')),
  created_by bigint not null,
  created_at timestamptz not null,
  started_by bigint,
  started_at timestamptz,
  closed_by bigint,
  closed_at timestamptz,
  check ((state = 'draft') = (started_at is null)),
  check ((state = 'closed') = (closed_at is not null))
);
create table compliance.campaign_member (
  campaign_id bigint not null references compliance.campaign (id),
  account_id bigint not null,
  was_due_at timestamptz not null,
  was_lapses_at timestamptz not null,
  told_at timestamptz,
  primary key (campaign_id, account_id)
);
create index campaign_member_account on compliance.campaign_member (account_id);
create index campaign_member_untold on compliance.campaign_member (campaign_id, account_id) where told_at is null;

-- Letters that are to leave. Sealed: they hold addresses, and links that open accounts.
create table letter (
  id bigint primary key,
  sealed bytea not null,
  tries int not null default 0,
  created_at timestamptz not null,
  due_at timestamptz not null
);
create index letter_due on letter (due_at);

grant select, insert, delete on oidc_flow to :app_role;
grant select, insert, update, delete on letter to :app_role;
grant select, insert, update on compliance.identity_reminder, compliance.campaign, compliance.campaign_member to :app_role;
grant delete on compliance.campaign, compliance.identity_reminder to :app_role;
