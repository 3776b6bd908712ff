-- The mark of a certified account (Articles 8 and 10), as it is shown beside the name: what was certified, and until when.
-- Ours comes from an approved application; another server's from an assertion of its own that was fetched and verified.
create table mark (
  account_id bigint primary key references account (id) on delete cascade,
  class text not null check (class in (
    'individual', 'enterprise', 'institution', 'government', 'social', 'media', 'foreign')),
  label text not null check (label <> '' and length(label) <= 200),
  certified_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > certified_at),
  -- The server that vouches, for somebody of another server; null where it is this one.
  host text
);
create index mark_expires on mark (expires_at);

-- What nobody else may be called: how the certified label, the display name and the user name of our own certified
-- accounts look, with look-alike characters made one (UTS #39). An account of another server keeps no name from anybody here.
create table mark_name (
  account_id bigint not null references mark (account_id) on delete cascade,
  skeleton text not null,
  primary key (skeleton, account_id)
);
create index mark_name_account on mark_name (account_id);

-- Names that nobody takes who is not certified under them: agencies, the press. Not `reserved` is one that the operator gave
-- up, so that it does not come back with the next list.
create table compliance.reserved_name (
  skeleton text primary key,
  name text not null,
  reserved boolean not null default true,
  changed_at timestamptz not null
);

-- Where accounts of other servers say that their certification is to be found. It is fetched from there, then and ever again.
create table mark_claim (
  account_id bigint primary key references account (id) on delete cascade,
  uri text not null,
  due_at timestamptz not null,
  attempts int not null default 0
);
create index mark_claim_due on mark_claim (due_at);

-- The keys with which the server itself signs documents: what it certifies, and what it files. A retired one still verifies.
create table server_key (
  key_id text primary key,
  public_key bytea not null check (length(public_key) = 32),
  private_sealed bytea not null,
  created_at timestamptz not null,
  retired_at timestamptz
);
create unique index server_key_current on server_key ((true)) where retired_at is null;

grant select, insert, update, delete on mark, mark_name, mark_claim to :app_role;
grant select, insert, update on compliance.reserved_name to :app_role;
grant select, insert on server_key to :app_role;
grant update (retired_at) on server_key to :app_role;
