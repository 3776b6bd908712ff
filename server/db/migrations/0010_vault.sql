-- The vault, second form: one data key for each person, wrapped by the master key that is never in the database.
-- The server's own role puts papers in; what it gets back, it gets by the functions below, and each of them writes the
-- access down before it gives anything.

-- A person's data key. Destroying it destroys every paper of theirs, in every copy of this database.
create table vault.person_key (
  account_id bigint primary key,
  version smallint not null,
  wrapped_key bytea not null,
  key_version smallint not null,
  created_at timestamptz not null,
  rewrapped_at timestamptz
);
create index person_key_wrapped on vault.person_key (key_version, account_id);

-- A paper of the first form has a key of its own (`wrapped_key`, `key_version`); one of the second names the version of
-- its person's key. Of a paper that is forgotten, only the blind index is left: proof, and nothing to read.
alter table vault.paper
  alter column sealed drop not null,
  alter column wrapped_key drop not null,
  alter column key_version drop not null,
  alter column index drop not null,
  add column person_key smallint,
  add column forgotten_at timestamptz,
  add constraint paper_form check (
    case when forgotten_at is not null then sealed is null and wrapped_key is null and index is not null
         else sealed is not null and (wrapped_key is null) = (person_key is not null)
              and (wrapped_key is null) = (key_version is null) end);
create index paper_old_form on vault.paper (id) where wrapped_key is not null;

-- What was destroyed, when and why: the proof that the retention ended.
create table vault.shredded (
  id bigint primary key,
  account_id bigint not null,
  version smallint,
  papers int not null,
  reason text not null,
  at timestamptz not null
);
create index shredded_account on vault.shredded (account_id);

-- A wish to open somebody's papers, what another person said to it, and whether it was used.
create table vault.opening (
  id bigint primary key,
  account_id bigint not null,
  fields text[] not null check (cardinality(fields) > 0),
  purpose text not null check (
    purpose in ('authority', 'court', 'dispute', 'misuse', 'incident', 'subject')),
  legal_basis text not null check (legal_basis <> ''),
  case_ref text not null check (case_ref <> ''),
  state text not null default 'waiting' check (state in ('waiting', 'approved', 'refused', 'read')),
  requested_by bigint not null,
  requested_at timestamptz not null,
  decided_by bigint,
  decided_at timestamptz,
  statement text,
  read_at timestamptz,
  hold_until timestamptz,
  hold_basis text,
  told_at timestamptz,
  check ((hold_until is null) = (hold_basis is null)),
  check ((state = 'waiting') = (decided_by is null)),
  check (decided_by <> requested_by),
  check ((state = 'read') = (read_at is not null))
);
create index opening_waiting on vault.opening (id) where state in ('waiting', 'approved');
create index opening_account on vault.opening (account_id, id desc);
create index opening_untold on vault.opening (id) where state = 'read' and told_at is null;

-- Every time that something was taken out. Append-only.
create table vault.access (
  id bigint primary key,
  account_id bigint not null,
  papers bigint[] not null,
  fields text[] not null,
  reader_id bigint not null,
  purpose text not null check (
    purpose in ('authority', 'court', 'dispute', 'misuse', 'incident', 'subject', 'review', 'own')),
  case_ref text not null check (case_ref <> ''),
  opening_id bigint references vault.opening (id),
  at timestamptz not null,
  check ((purpose in ('review', 'own')) = (opening_id is null))
);
create index access_account on vault.access (account_id, id desc);
create index access_reader on vault.access (reader_id, at);
create unique index access_opening on vault.access (opening_id) where opening_id is not null;
create trigger access_append_only before update or delete on vault.access
  for each row execute function compliance.refuse_change();
create trigger access_no_truncate before truncate on vault.access
  for each statement execute function compliance.refuse_change();

-- Refusals of the functions below: SQLSTATE YV403, and one word that says why.
create function vault.refuse(why text) returns void language plpgsql as $$
begin
  raise exception '%', why using errcode = 'YV403';
end $$;

create function vault.has_role(who bigint, roles text[]) returns boolean
language sql stable as $$
  select exists (
    select 1 from public.member_role r join public.account a on a.id = r.account_id
    where r.account_id = who and r.role = any (roles) and a.suspended_at is null and a.gone_at is null)
$$;

-- The wrapped key to seal a person's next paper with: theirs, or else the one that is offered. It opens nothing by
-- itself, and what it would open is not given without a record.
create function vault.key_to_seal(person bigint, offered bytea, offered_version smallint, moment timestamptz)
returns table (version smallint, wrapped_key bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  insert into vault.person_key (account_id, version, wrapped_key, key_version, created_at)
  select person, coalesce(max(s.version), 0) + 1, offered, offered_version, moment
  from vault.shredded s where s.account_id = person
  on conflict (account_id) do nothing;
  return query
    select k.version, k.wrapped_key from vault.person_key k where k.account_id = person for share;
end $$;

-- What a reader gets: the rows themselves, still sealed.
create function vault.taken(wanted bigint[])
returns table (id bigint, account_id bigint, field text, sealed bytea, wrapped_key bytea, key_version smallint,
               person_key smallint)
language sql stable as $$
  select p.id, p.account_id, p.field, p.sealed, coalesce(p.wrapped_key, k.wrapped_key), p.key_version, p.person_key
  from vault.paper p left join vault.person_key k on k.account_id = p.account_id and k.version = p.person_key
  where p.id = any (wanted) and p.sealed is not null
  order by p.id
$$;

create function vault.request_opening(
  new_id bigint, person bigint, wanted text[], purpose text, legal_basis text, case_ref text,
  requester bigint, hold_until timestamptz, hold_basis text, moment timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  if not vault.has_role(requester, array['compliance']) then perform vault.refuse('role'); end if;
  if person = requester then perform vault.refuse('own'); end if;
  if not exists (select 1 from vault.paper p
                 where p.account_id = person and p.field = any (wanted) and p.sealed is not null) then
    perform vault.refuse('nothing');
  end if;
  if hold_until is not null and (hold_until <= moment or hold_until > moment + interval '1 year') then
    perform vault.refuse('hold');
  end if;
  insert into vault.opening (id, account_id, fields, purpose, legal_basis, case_ref, requested_by, requested_at,
                             hold_until, hold_basis)
  values (new_id, person, wanted, purpose, legal_basis, case_ref, requester, moment, hold_until, hold_basis);
end $$;

create function vault.decide_opening(wanted bigint, decider bigint, approve boolean, words text, moment timestamptz)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asked vault.opening;
begin
  select * into asked from vault.opening o where o.id = wanted for update;
  if not found then perform vault.refuse('missing'); end if;
  if not vault.has_role(decider, array['editor']) then perform vault.refuse('role'); end if;
  if asked.requested_by = decider then perform vault.refuse('same'); end if;
  if asked.account_id = decider then perform vault.refuse('own'); end if;
  if asked.state <> 'waiting' then perform vault.refuse('decided'); end if;
  if moment >= asked.requested_at + interval '24 hours' then perform vault.refuse('late'); end if;
  update vault.opening o
  set state = case when approve then 'approved' else 'refused' end, decided_by = decider, decided_at = moment,
      statement = words
  where o.id = wanted;
end $$;

-- Lifts the bar on telling the person (`until` is null), or prolongs it while it holds. Not by who asked for it.
create function vault.set_hold(wanted bigint, decider bigint, until timestamptz, basis text, moment timestamptz)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asked vault.opening;
begin
  select * into asked from vault.opening o where o.id = wanted for update;
  if not found then perform vault.refuse('missing'); end if;
  if not vault.has_role(decider, array['editor']) then perform vault.refuse('role'); end if;
  if asked.requested_by = decider then perform vault.refuse('same'); end if;
  if asked.hold_until is null or asked.hold_until <= moment then perform vault.refuse('told'); end if;
  if until is not null and (until <= moment or until > moment + interval '1 year') then
    perform vault.refuse('hold');
  end if;
  update vault.opening o set hold_until = coalesce(until, moment), hold_basis = coalesce(basis, o.hold_basis)
  where o.id = wanted;
end $$;

create function vault.mark_told(wanted bigint[], moment timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update vault.opening set told_at = moment
  where id = any (wanted) and state = 'read' and told_at is null and (hold_until is null or hold_until <= moment)
$$;

-- The one reading of an approved opening. The access is written first.
create function vault.read_opening(wanted bigint, reader bigint, access_id bigint, moment timestamptz)
returns table (id bigint, account_id bigint, field text, sealed bytea, wrapped_key bytea, key_version smallint,
               person_key smallint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  asked vault.opening;
  found_papers bigint[];
begin
  perform pg_advisory_xact_lock(hashtext('vault.reader'), hashint8(reader));
  select * into asked from vault.opening o where o.id = wanted for update;
  if not found then perform vault.refuse('missing'); end if;
  if asked.requested_by <> reader then perform vault.refuse('reader'); end if;
  if asked.state = 'read' then perform vault.refuse('read'); end if;
  if asked.state <> 'approved' then perform vault.refuse('waiting'); end if;
  if not vault.has_role(reader, array['compliance']) or not vault.has_role(asked.decided_by, array['editor']) then
    perform vault.refuse('role');
  end if;
  if moment >= asked.decided_at + interval '1 hour' then perform vault.refuse('late'); end if;
  if (select count(*) from vault.access a
      where a.reader_id = reader and a.opening_id is not null and a.at > moment - interval '24 hours') >= 20 then
    perform vault.refuse('locked');
  end if;
  select array_agg(p.id order by p.id) into found_papers from vault.paper p
  where p.account_id = asked.account_id and p.field = any (asked.fields) and p.sealed is not null;
  if found_papers is null then perform vault.refuse('nothing'); end if;
  insert into vault.access (id, account_id, papers, fields, reader_id, purpose, case_ref, opening_id, at)
  values (access_id, asked.account_id, found_papers, asked.fields, reader, asked.purpose, asked.case_ref, wanted, moment);
  update vault.opening o set state = 'read', read_at = moment where o.id = wanted;
  return query select t.* from vault.taken(found_papers) t;
end $$;

-- The papers of a claim or an application that waits for a decision, for whoever reviews it.
create function vault.read_for_review(
  wanted bigint[], reader bigint, case_ref text, access_id bigint, moment timestamptz)
returns table (id bigint, account_id bigint, field text, sealed bytea, wrapped_key bytea, key_version smallint,
               person_key smallint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  number bigint := substring(case_ref from '^(?:claim|application):([0-9]{1,18})$')::bigint;
  of_case bigint[];
  person bigint;
  named text[];
begin
  perform pg_advisory_xact_lock(hashtext('vault.reader'), hashint8(reader));
  if not vault.has_role(reader, array['reviewer', 'compliance', 'editor']) then perform vault.refuse('role'); end if;
  if case_ref like 'claim:%' and to_regclass('compliance.identity_claim') is not null then
    select c.papers, c.account_id into of_case, person
    from compliance.identity_claim c where c.id = number and c.state = 'waiting';
  elsif case_ref like 'application:%' and to_regclass('compliance.application') is not null then
    select c.papers, c.account_id into of_case, person
    from compliance.application c where c.id = number and c.state in ('submitted', 'second');
  end if;
  if of_case is null or not wanted <@ of_case then perform vault.refuse('case'); end if;
  if person = reader then perform vault.refuse('own'); end if;
  if exists (select 1 from vault.paper p where p.id = any (wanted) and p.account_id <> person) then
    perform vault.refuse('case');
  end if;
  if (select count(*) from vault.access a
      where a.reader_id = reader and a.purpose = 'review' and a.at > moment - interval '24 hours') >= 400 then
    perform vault.refuse('locked');
  end if;
  select array_agg(distinct p.field order by p.field) into named from vault.paper p
  where p.id = any (wanted) and p.sealed is not null;
  if named is null then perform vault.refuse('nothing'); end if;
  insert into vault.access (id, account_id, papers, fields, reader_id, purpose, case_ref, at)
  values (access_id, person, wanted, named, reader, 'review', case_ref, moment);
  return query select t.* from vault.taken(wanted) t;
end $$;

-- A person's own papers, for themselves.
create function vault.read_own(reader bigint, access_id bigint, moment timestamptz)
returns table (id bigint, account_id bigint, field text, sealed bytea, wrapped_key bytea, key_version smallint,
               person_key smallint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  found_papers bigint[];
  named text[];
begin
  perform pg_advisory_xact_lock(hashtext('vault.reader'), hashint8(reader));
  if (select count(*) from vault.access a
      where a.reader_id = reader and a.purpose = 'own' and a.at > moment - interval '24 hours') >= 20 then
    perform vault.refuse('locked');
  end if;
  select array_agg(p.id order by p.id), array_agg(distinct p.field order by p.field) into found_papers, named
  from vault.paper p where p.account_id = reader and p.sealed is not null and p.field <> 'scan';
  if found_papers is null then return; end if;
  insert into vault.access (id, account_id, papers, fields, reader_id, purpose, case_ref, at)
  values (access_id, reader, found_papers, named, reader, 'own', 'own', moment);
  return query select t.* from vault.taken(found_papers) t;
end $$;

-- Destroys the data key of a person, and with it all their papers. Whose account is closed is kept for six months at
-- least, as the law asks; the setting may ask for longer, never for less.
create function vault.shred_person(new_id bigint, person bigint, why text, moment timestamptz) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  key_of smallint;
  gone int;
begin
  if not exists (select 1 from public.account a
                 where a.id = person and a.gone_at <= moment - interval '6 months') then
    perform vault.refuse('kept');
  end if;
  if exists (select 1 from vault.opening o
             where o.account_id = person and o.state = 'read' and o.hold_until > moment) then
    perform vault.refuse('held');
  end if;
  delete from vault.person_key k where k.account_id = person returning k.version into key_of;
  delete from vault.paper p where p.account_id = person;
  get diagnostics gone = row_count;
  if gone > 0 or key_of is not null then
    insert into vault.shredded (id, account_id, version, papers, reason, at)
    values (new_id, person, key_of, gone, why, moment);
  end if;
  return gone;
end $$;

-- Whether a claim or an application that is still open needs this paper.
create function vault.is_in_review(paper bigint, person bigint) returns boolean
language plpgsql stable as $$
declare
  needed boolean := false;
begin
  if to_regclass('compliance.identity_claim') is not null then
    select exists (select 1 from compliance.identity_claim c
                   where c.account_id = person and paper = any (c.papers) and c.state not in ('approved', 'declined', 'withdrawn')) into needed;
  end if;
  if not needed and to_regclass('compliance.application') is not null then
    select exists (select 1 from compliance.application c
                   where c.account_id = person and paper = any (c.papers) and c.state not in ('approved', 'declined', 'withdrawn')) into needed;
  end if;
  return needed;
end $$;

-- Whether a day is set already on which this paper is destroyed: until then somebody may appeal.
create function vault.ends_later(paper bigint, person bigint) returns boolean
language plpgsql stable as $$
declare
  waits boolean := false;
begin
  if to_regclass('compliance.paper_end') is not null then
    select exists (select 1 from compliance.paper_end e where e.paper_id = paper) into waits;
  end if;
  if not waits and to_regclass('compliance.application') is not null then
    select exists (select 1 from compliance.application c
                   where c.account_id = person and paper = any (c.papers) and c.shredded_at is null) into waits;
  end if;
  return waits;
end $$;

-- Destroys single papers that nobody needs any more: replaced, or of a claim that is decided.
create function vault.shred_papers(wanted bigint[]) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  gone int;
begin
  delete from vault.paper p where p.id = any (wanted) and not vault.is_in_review(p.id, p.account_id);
  get diagnostics gone = row_count;
  return gone;
end $$;

-- Forgets what papers say and keeps the proof; of a scan there is none, so that it goes as a whole. With `wanted` null:
-- whatever has been here since before `moment`, and is under nobody's eyes.
create function vault.forget(wanted bigint[], moment timestamptz, most int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen bigint[];
begin
  select array_agg(c.id) into chosen from (
    select p.id from vault.paper p
    where p.sealed is not null and (wanted is null or p.id = any (wanted))
      and (wanted is not null or (p.created_at < moment and not vault.ends_later(p.id, p.account_id)))
      and not vault.is_in_review(p.id, p.account_id)
    order by p.id limit most for update skip locked) c;
  if chosen is null then return 0; end if;
  delete from vault.paper p where p.id = any (chosen) and p.index is null;
  update vault.paper p set sealed = null, wrapped_key = null, key_version = null, person_key = null, forgotten_at = moment
  where p.id = any (chosen);
  delete from vault.person_key k
  where not exists (select 1 from vault.paper p where p.account_id = k.account_id and p.sealed is not null)
    and k.account_id in (select p.account_id from vault.paper p where p.id = any (chosen));
  return cardinality(chosen);
end $$;

grant select (account_id, version, key_version, created_at, rewrapped_at) on vault.person_key to :app_role;
grant select (person_key, forgotten_at, created_at) on vault.paper to :app_role;
grant select on vault.opening, vault.access, vault.shredded to :app_role;
revoke all on all functions in schema vault from public;
grant execute on function
  vault.key_to_seal(bigint, bytea, smallint, timestamptz),
  vault.request_opening(bigint, bigint, text[], text, text, text, bigint, timestamptz, text, timestamptz),
  vault.decide_opening(bigint, bigint, boolean, text, timestamptz),
  vault.set_hold(bigint, bigint, timestamptz, text, timestamptz),
  vault.mark_told(bigint[], timestamptz),
  vault.read_opening(bigint, bigint, bigint, timestamptz),
  vault.read_for_review(bigint[], bigint, text, bigint, timestamptz),
  vault.read_own(bigint, bigint, timestamptz),
  vault.shred_person(bigint, bigint, text, timestamptz),
  vault.shred_papers(bigint[]),
  vault.forget(bigint[], timestamptz, int)
  to :app_role;
