-- The judgement: decisions, cases, identities, rules, records. `:app_role` is the role the running server uses.
create schema compliance;
create schema vault;
create schema federation;

create extension if not exists pg_trgm;

-- Decisions: one row for each activity judged. What shows or sends points here, at a row whose verdict is 'cleared'.
create table compliance.decision (
  id bigint primary key,
  verdict text not null check (verdict in ('cleared', 'held', 'refused')),
  kind text not null,
  direction text not null check (direction in ('in', 'out')),
  actor_id bigint not null,
  activity_uri text not null,
  object_uri text,
  digest bytea not null,
  rule_version bigint not null,
  reason text,
  article text,
  labels text[] not null default '{}',
  findings jsonb not null default '[]',
  automated boolean not null default true,
  supersedes bigint references compliance.decision (id),
  created_at timestamptz not null,
  unique (id, verdict),
  check ((verdict = 'cleared') = (reason is null))
);
create index decision_unfavourable on compliance.decision (actor_id, id desc) where verdict <> 'cleared';
create index decision_object on compliance.decision (object_uri) where object_uri is not null;

-- The review queue. `payload` is the whole activity, so that a release can be submitted again by the same road.
create table compliance.review_case (
  id bigint primary key,
  decision_id bigint not null references compliance.decision (id),
  kind text not null,
  direction text not null,
  actor_id bigint not null,
  object_uri text,
  digest bytea not null,
  words text not null,
  payload bytea not null,
  state text not null default 'waiting' check (state in ('waiting', 'released', 'refused', 'withdrawn')),
  claimed_by bigint,
  claimed_until timestamptz,
  decided_by bigint,
  decided_at timestamptz,
  statement text,
  outcome_id bigint references compliance.decision (id),
  created_at timestamptz not null,
  check ((state in ('waiting', 'withdrawn')) or (decided_by is not null and decided_at is not null))
);
create index review_case_waiting on compliance.review_case (id) where state = 'waiting';
create index review_case_actor on compliance.review_case (actor_id, id desc);
create index review_case_digest on compliance.review_case (actor_id, digest) where state <> 'withdrawn';
create index review_case_outcome on compliance.review_case (outcome_id) where outcome_id is not null;

-- Article 7: whether a person's identity is known; never what it is.
create table compliance.identity (
  account_id bigint primary key,
  state text not null check (state in ('pending', 'verified', 'due', 'lapsed', 'rejected')),
  method text check (method in ('mobile', 'attestation')),
  verified_at timestamptz,
  due_at timestamptz,
  lapses_at timestamptz,
  paper_id bigint,
  updated_at timestamptz not null,
  check (state not in ('verified', 'due', 'lapsed')
         or (method is not null and verified_at is not null and due_at is not null and lapses_at is not null))
);
create index identity_due on compliance.identity (due_at) where state = 'verified';
create index identity_lapse on compliance.identity (lapses_at) where state = 'due';
create index identity_paper on compliance.identity (paper_id) where paper_id is not null;

create table compliance.phone_code (
  account_id bigint primary key,
  phone_index bytea not null,
  code_mac bytea not null,
  tries smallint not null default 0,
  expires_at timestamptz not null
);

-- The sealed papers. The running server may put in and count; it cannot read what it put in.
create table vault.paper (
  id bigint primary key,
  account_id bigint not null,
  field text not null,
  sealed bytea not null,
  wrapped_key bytea not null,
  key_version smallint not null,
  index bytea not null,
  created_at timestamptz not null
);
create index paper_index on vault.paper (field, index);
create index paper_account on vault.paper (account_id);

-- Rule sets are the operator's data, versioned; at most one is active.
create table compliance.rule_set (
  version bigint generated always as identity primary key,
  name text not null,
  label text not null,
  body text not null,
  imported_by bigint,
  imported_at timestamptz not null,
  activated_by bigint,
  activated_at timestamptz,
  active boolean not null default false
);
create unique index rule_set_active on compliance.rule_set (active) where active;

create table compliance.host_policy (
  host text primary key,
  policy text not null check (policy in ('refuse', 'hold', 'allow')),
  reason text not null,
  set_by bigint,
  set_at timestamptz not null
);

-- Article 6: the agreement and rules, by version, and who accepted which.
create table compliance.agreement (
  document text not null check (document in ('terms', 'rules', 'privacy')),
  version int not null,
  locale text not null,
  title text not null,
  body text not null,
  hash bytea not null,
  effective_at timestamptz not null,
  primary key (document, version, locale)
);
create table compliance.acceptance (
  account_id bigint not null,
  document text not null,
  version int not null,
  locale text not null,
  hash bytea not null,
  accepted_at timestamptz not null,
  primary key (account_id, document, version)
);

-- Article 14: complaints.
create table compliance.report (
  id bigint primary key,
  code text not null unique,
  reporter_id bigint,
  target_id bigint not null,
  posts bigint[] not null default '{}',
  comment text not null default '',
  category text not null default 'other',
  forwarded boolean not null default false,
  decision_id bigint not null,
  verdict text not null default 'cleared' check (verdict = 'cleared'),
  state text not null default 'waiting' check (state in ('waiting', 'upheld', 'dismissed')),
  decided_by bigint,
  decided_at timestamptz,
  statement text,
  created_at timestamptz not null,
  foreign key (decision_id, verdict) references compliance.decision (id, verdict)
);
create index report_waiting on compliance.report (id) where state = 'waiting';
create index report_target on compliance.report (target_id, id desc);
create index report_reporter on compliance.report (reporter_id, id desc) where reporter_id is not null;

-- Appeals against a decision; decided by somebody who had no part in it.
create table compliance.appeal (
  id bigint primary key,
  decision_id bigint not null unique references compliance.decision (id),
  account_id bigint not null,
  words text not null,
  state text not null default 'waiting' check (state in ('waiting', 'overturned', 'upheld')),
  decided_by bigint,
  decided_at timestamptz,
  statement text,
  created_at timestamptz not null
);
create index appeal_waiting on compliance.appeal (id) where state = 'waiting';

-- Article 16: the log. Append-only, one partition a month, written in the transaction of the act.
create table compliance.record (
  id bigint not null,
  at timestamptz not null,
  kind text not null,
  actor_id bigint,
  object text,
  decision_id bigint,
  address inet,
  port int,
  client text,
  detail jsonb not null default '{}',
  primary key (id, at)
) partition by range (at);
create index record_actor on compliance.record (actor_id, id desc);
create index record_kind on compliance.record (kind, id desc);

create function compliance.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'the log is append-only: % on % refused', tg_op, tg_table_name using errcode = 'insufficient_privilege';
end $$;

create trigger record_append_only before update or delete on compliance.record
  for each row execute function compliance.refuse_change();
create trigger decision_append_only before update or delete on compliance.decision
  for each row execute function compliance.refuse_change();
create trigger record_no_truncate before truncate on compliance.record
  for each statement execute function compliance.refuse_change();
create trigger decision_no_truncate before truncate on compliance.decision
  for each statement execute function compliance.refuse_change();

-- Makes the partitions for `months` months from the month of `since`. The application role cannot create tables itself.
create function compliance.open_record_months(since timestamptz, months int) returns int
language plpgsql security definer set search_path = pg_catalog, compliance as $$
declare
  first timestamptz := date_trunc('month', since, 'UTC');
  start timestamptz;
  opened int := 0;
  name text;
begin
  if months < 1 or months > 36 then
    raise exception 'months must be 1 to 36';
  end if;
  for i in 0 .. months - 1 loop
    start := (first at time zone 'UTC' + make_interval(months => i)) at time zone 'UTC';
    name := 'record_' || to_char(start at time zone 'UTC', 'YYYY_MM');
    if to_regclass('compliance.' || name) is null then
      perform pg_advisory_xact_lock(hashtext('compliance.record'));
      execute format(
        'create table if not exists compliance.%I partition of compliance.record for values from (%L) to (%L)',
        name, start, (start at time zone 'UTC' + interval '1 month') at time zone 'UTC');
      execute format(
        'create trigger no_truncate before truncate on compliance.%I for each statement execute function compliance.refuse_change()',
        name);
      opened := opened + 1;
    end if;
  end loop;
  return opened;
end $$;

grant usage on schema compliance, vault, federation to :app_role;
grant select, insert on compliance.decision, compliance.record to :app_role;
grant select, insert, update on compliance.review_case, compliance.identity, compliance.rule_set, compliance.report,
  compliance.appeal to :app_role;
grant select, insert, update, delete on compliance.phone_code, compliance.host_policy to :app_role;
grant select, insert on compliance.agreement, compliance.acceptance to :app_role;
grant insert on vault.paper to :app_role;
grant select (id, account_id, field, index) on vault.paper to :app_role;
revoke all on function compliance.open_record_months(timestamptz, int) from public;
grant execute on function compliance.open_record_months(timestamptz, int) to :app_role;
