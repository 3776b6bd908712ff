-- Articles 9, 10 and 13: what is owed to the authorities, by class and by place of registration. Nothing leaves by itself.
create table compliance.authority (
  province text primary key,
  name text not null,
  contact text not null default '',
  channel text not null default '',
  updated_by bigint,
  updated_at timestamptz not null
);

-- A feature whose safety was assessed before it was used (Article 13), as far as it is to be filed.
create table compliance.assessment (
  id bigint primary key,
  feature text not null,
  version text not null,
  assessed_on date not null,
  result text not null check (result in ('passed', 'conditions', 'failed')),
  reference text not null default '',
  recorded_by bigint not null,
  recorded_at timestamptz not null
);

create table compliance.filing (
  id bigint primary key,
  kind text not null check (kind in ('certified', 'tiers', 'assessments')),
  province text not null,
  class text not null default '',
  state text not null default 'drafted' check (state in (
    'drafted', 'released', 'submitted', 'acknowledged', 'returned', 'withdrawn')),
  body text not null,
  entries jsonb not null,
  added int not null,
  removed int not null,
  changed int not null,
  previous_id bigint references compliance.filing (id),
  due_at timestamptz,
  drafted_by bigint,
  drafted_at timestamptz not null,
  released_by bigint,
  receipt text,
  reason text,
  check (released_by is null or drafted_by is null or released_by <> drafted_by),
  check ((state in ('drafted', 'withdrawn')) or released_by is not null),
  check ((state = 'acknowledged') = (receipt is not null)),
  check (state <> 'returned' or reason is not null)
);
-- One at a time on its way for each thing that is filed.
create unique index filing_open on compliance.filing (kind, province, class) where state in ('drafted', 'released', 'submitted');
create index filing_key on compliance.filing (kind, province, class, id desc);
create index filing_state on compliance.filing (state, id desc);

create table compliance.filing_step (
  id bigint primary key,
  filing_id bigint not null references compliance.filing (id),
  state text not null,
  by_id bigint,
  words text not null default '',
  at timestamptz not null
);
create index filing_step_of on compliance.filing_step (filing_id, id);

-- What staff were told is due, once for each thing, day and step.
create table compliance.filing_notice (
  key text not null,
  due_at timestamptz not null,
  step text not null check (step in ('ahead', 'over')),
  told_at timestamptz not null,
  primary key (key, due_at, step)
);

grant select, insert, update on compliance.authority, compliance.filing to :app_role;
grant select, insert on compliance.assessment, compliance.filing_step, compliance.filing_notice to :app_role;
