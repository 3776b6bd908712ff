-- Article 7 in full: more ways than a phone, organisations beside people, claims that a person looks at, and an identity that
-- is withdrawn. Nothing here can be read back into a number: indexes are keyed, and what is shown was masked when it came in.
alter table compliance.identity drop constraint identity_state_check;
alter table compliance.identity add constraint identity_state_check
  check (state in ('pending', 'verified', 'due', 'lapsed', 'rejected', 'revoked'));
alter table compliance.identity drop constraint identity_method_check;
alter table compliance.identity add constraint identity_method_check check (method in (
  'mobile', 'attestation', 'resident-id', 'organisation', 'passport-cn', 'foreign-permanent-resident', 'hk-macau-permit',
  'taiwan-permit', 'oidc', 'certification'));
alter table compliance.identity add column subject text not null default 'person' check (subject in ('person', 'organisation'));
-- Until now a person who found an identity false wrote `rejected`; that word is now for a claim that may be tried anew.
update compliance.identity set state = 'revoked' where state = 'rejected';

-- The numbers by which an account is verified. `kind` is what is counted: a social credit code is counted as the organisation
-- code inside it as well, so that the one and the other are one organisation.
create table compliance.identity_number (
  account_id bigint not null,
  kind text not null,
  index bytea not null,
  masked text not null,
  paper_id bigint,
  put_at timestamptz not null,
  primary key (account_id, kind)
);
create index identity_number_index on compliance.identity_number (kind, index);
insert into compliance.identity_number (account_id, kind, index, masked, paper_id, put_at)
  select i.account_id, p.field, p.index, '****', p.id, p.created_at
  from compliance.identity i join vault.paper p on p.id = i.paper_id;

-- What somebody says of themselves and proves with papers.
create table compliance.identity_claim (
  id bigint primary key,
  account_id bigint not null,
  method text not null,
  subject text not null check (subject in ('person', 'organisation')),
  state text not null default 'waiting' check (state in ('waiting', 'more', 'approved', 'declined', 'withdrawn')),
  numbers jsonb not null,
  shown jsonb not null default '{}',
  papers bigint[] not null default '{}',
  agrees boolean,
  reference text,
  question text,
  advice text check (advice in ('approve', 'decline')),
  advised_by bigint,
  advised_note text,
  decided_by bigint,
  decided_at timestamptz,
  statement text,
  decision_id bigint references compliance.decision (id),
  barred bigint[] not null default '{}',
  created_at timestamptz not null,
  updated_at timestamptz not null,
  check (state in ('waiting', 'more') or decided_at is not null)
);
create unique index identity_claim_open on compliance.identity_claim (account_id) where state in ('waiting', 'more');
create index identity_claim_waiting on compliance.identity_claim (id) where state = 'waiting';
create index identity_claim_account on compliance.identity_claim (account_id, id desc);

-- When a sealed paper is to be destroyed, and why: a claim was decided, an identity was withdrawn or replaced.
create table compliance.paper_end (
  paper_id bigint primary key,
  account_id bigint not null,
  claim_id bigint,
  why text not null check (why in ('decided', 'withdrawn', 'replaced', 'closed')),
  ends_at timestamptz not null
);
create index paper_end_due on compliance.paper_end (ends_at);
create index paper_end_account on compliance.paper_end (account_id);

-- Consent to one purpose of its own (PIPL, article 29): given, and taken back, never changed otherwise.
create table compliance.consent (
  id bigint primary key,
  account_id bigint not null,
  purpose text not null,
  version int not null,
  locale text not null,
  given_at timestamptz not null,
  ended_at timestamptz
);
create unique index consent_standing on compliance.consent (account_id, purpose) where ended_at is null;

grant select, insert, update, delete on compliance.identity_number, compliance.paper_end to :app_role;
grant select, insert, update on compliance.identity_claim, compliance.consent to :app_role;
grant delete on compliance.identity to :app_role;
