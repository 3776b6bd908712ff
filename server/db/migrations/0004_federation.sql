-- Mail in and out.

-- What other servers sent: stored before it is acknowledged, one row for each activity id of a sender's host.
create table federation.inbound (
  id bigint primary key,
  host text not null,
  activity_uri text not null,
  actor_uri text not null,
  body bytea,
  state text not null default 'waiting' check (state in ('waiting', 'done', 'parked')),
  attempts smallint not null default 0,
  due_at timestamptz not null,
  locked_until timestamptz,
  error text,
  received_at timestamptz not null,
  unique (host, activity_uri)
);
create index inbound_waiting on federation.inbound (due_at, id) where state = 'waiting';
-- An actor's activities are worked on in the order they came: nothing of theirs is claimed past one that waits.
create index inbound_actor on federation.inbound (actor_uri, id) where state = 'waiting';
create index inbound_age on federation.inbound (received_at);

-- A document that may leave: rendered once, sent to many inboxes.
create table federation.message (
  id bigint primary key,
  account_id bigint not null references account (id),
  activity_uri text not null,
  object_uri text,
  kind text not null,
  body bytea not null,
  decision_id bigint not null,
  verdict text not null default 'cleared' check (verdict = 'cleared'),
  created_at timestamptz not null,
  foreign key (decision_id, verdict) references compliance.decision (id, verdict)
);
create index message_object on federation.message (object_uri) where object_uri is not null;

create table federation.outbound (
  id bigint primary key,
  message_id bigint not null references federation.message (id) on delete cascade,
  inbox text not null,
  host text not null,
  attempts smallint not null default 0,
  due_at timestamptz not null,
  locked_until timestamptz,
  created_at timestamptz not null,
  error text
);
create index outbound_lane on federation.outbound (host, id);
create index outbound_due on federation.outbound (due_at, id);
create index outbound_message on federation.outbound (message_id);

-- What we know of another server: which signature it takes, whether it lives.
create table federation.host (
  host text primary key,
  dialect text check (dialect in ('cavage', 'rfc9421')),
  failing_since timestamptz,
  failures int not null default 0,
  paused_until timestamptz,
  last_ok_at timestamptz,
  last_error text
);

-- Ids that were deleted at their origin: a late Create of one stays dead.
create table federation.tombstone (
  uri text primary key,
  at timestamptz not null
);

grant select, insert, update, delete on federation.inbound, federation.message, federation.outbound, federation.host to :app_role;
grant select, insert on federation.tombstone to :app_role;
