-- Posts that people bring from elsewhere: one row for each archive, and which post each of its posts became.
create table archive_import (
  id bigint primary key,
  account_id bigint not null references account (id),
  by_id bigint,
  file text not null,
  state text not null default 'waiting' check (state in ('waiting', 'done', 'failed', 'cancelled')),
  failure text,
  total int,
  published int not null default 0,
  skipped int not null default 0,
  refused int not null default 0,
  due_at timestamptz not null,
  claimed_until timestamptz,
  created_at timestamptz not null,
  changed_at timestamptz not null
);
create index archive_import_due on archive_import (due_at) where state = 'waiting';
create index archive_import_account on archive_import (account_id, id desc);

create table imported_post (
  account_id bigint not null references account (id),
  origin text not null,
  uri text not null,
  primary key (account_id, origin)
);
grant select, insert, update on archive_import to :app_role;
grant select, insert on imported_post to :app_role;
