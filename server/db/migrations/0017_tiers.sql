-- Article 9: graded service. Policies are the operator's data, versioned; at most one is in force.
create table compliance.tier_policy (
  version bigint generated always as identity primary key,
  name text not null,
  label text not null,
  body text not null,
  digest bytea not null,
  proposed_by bigint,
  proposed_at timestamptz not null,
  activated_by bigint,
  activated_at timestamptz,
  retired_at timestamptz,
  active boolean not null default false,
  -- The tier of somebody who joins under it, until they are looked at.
  newcomer text not null,
  -- How far the round over all accounts has come, and when the last one ended.
  swept_to bigint not null default 0,
  swept_at timestamptz,
  check (activated_by is null or proposed_by is null or activated_by <> proposed_by)
);
create unique index tier_policy_active on compliance.tier_policy (active) where active;

-- What applies in each tier, as the gate reads it. Null leaves it to the server's settings.
create table compliance.tier (
  policy_version bigint not null references compliance.tier_policy (version),
  id text not null,
  place int not null,
  pre_review boolean not null,
  posts_per_hour int,
  uploads_per_hour int,
  follows_per_hour int,
  reverify_months int,
  from_timelines boolean not null,
  undiscoverable boolean not null,
  from_guests boolean not null,
  primary key (policy_version, id)
);

-- Which tier an account here is in, and why.
create table compliance.standing (
  account_id bigint primary key,
  policy_version bigint not null,
  tier text not null,
  why jsonb not null,
  since timestamptz not null,
  evaluated_at timestamptz not null,
  -- Follower counts between which the tier stays the same.
  followers_from bigint not null default 0,
  followers_below bigint,
  pinned_tier text,
  pinned_until timestamptz,
  foreign key (policy_version, tier) references compliance.tier (policy_version, id)
);
create index standing_tier on compliance.standing (policy_version, tier);

-- Accounts that something happened to: looked at again within a minute.
create table compliance.standing_due (
  account_id bigint primary key
);

-- Each change of a tier, for the account's own history and for audits.
create table compliance.standing_move (
  id bigint primary key,
  account_id bigint not null,
  policy_version bigint not null,
  from_tier text,
  to_tier text not null,
  why jsonb not null,
  decision_id bigint references compliance.decision (id),
  at timestamptz not null
);
create index standing_move_account on compliance.standing_move (account_id, id desc);

-- A policy tried on everybody before it is in force.
create table compliance.tier_trial (
  policy_version bigint primary key references compliance.tier_policy (version),
  reached bigint not null default 0,
  accounts bigint not null default 0,
  moves jsonb not null default '[]',
  started_at timestamptz not null,
  finished_at timestamptz
);

-- Credit is the sum of its events: appended, never changed. `before` and `after` are the values around each.
create table compliance.credit_event (
  id bigint primary key,
  account_id bigint not null,
  kind text not null,
  points double precision not null,
  policy_version bigint not null references compliance.tier_policy (version),
  reason text not null,
  decision_id bigint,
  report_id bigint,
  reverses bigint references compliance.credit_event (id),
  by_id bigint,
  before double precision not null,
  after double precision not null,
  at timestamptz not null
);
create index credit_event_account on compliance.credit_event (account_id, id desc);
create unique index credit_event_reversed on compliance.credit_event (reverses) where reverses is not null;
create unique index credit_event_decision on compliance.credit_event (decision_id, kind) where decision_id is not null;
create unique index credit_event_report on compliance.credit_event (report_id, kind) where report_id is not null;
create trigger credit_event_append_only before update or delete on compliance.credit_event
  for each row execute function compliance.refuse_change();
create trigger credit_event_no_truncate before truncate on compliance.credit_event
  for each statement execute function compliance.refuse_change();

-- Events whose account has not been told of them yet.
create table compliance.credit_untold (
  event_id bigint primary key references compliance.credit_event (id)
);

-- The few accounts that some read paths leave out; empty on most servers, so that to ask costs nothing.
create table held_back (
  account_id bigint primary key references account (id),
  from_timelines boolean not null,
  undiscoverable boolean not null,
  from_guests boolean not null
);

-- The round over everybody here goes by id.
create index account_here on account (id) where host is null;

grant select, insert, update on compliance.tier_policy, compliance.tier, compliance.standing, compliance.tier_trial to :app_role;
grant delete on compliance.standing to :app_role;
grant select, insert, delete on compliance.standing_due, compliance.credit_untold, held_back to :app_role;
grant update on compliance.standing_due, compliance.credit_untold, held_back to :app_role;
grant select, insert on compliance.credit_event, compliance.standing_move to :app_role;

-- Whoever's identity, certificate or organisation changes is looked at again, whichever way it changed.
create function compliance.standing_is_due() returns trigger language plpgsql as $$
begin
  insert into compliance.standing_due (account_id)
    select new.account_id where exists (select from compliance.tier_policy where active)
    on conflict do nothing;
  return null;
end $$;
create trigger identity_standing after insert or update of state, subject on compliance.identity
  for each row execute function compliance.standing_is_due();
create trigger certification_standing after insert or update of state on compliance.certification
  for each row execute function compliance.standing_is_due();
create trigger organisation_standing after insert on compliance.organisation
  for each row execute function compliance.standing_is_due();
