-- A person's data key goes with the last paper that it opens, so that a paper whose time is over opens from no backup
-- whose master key is retired. And nobody's key goes while another paper is being put in: the row of the key is locked
-- first, and only then, by a statement of its own that sees what was committed meanwhile, is looked whether it is needed.
create function vault.drop_idle_keys(people bigint[]) returns void language plpgsql as $$
begin
  perform from vault.person_key k where k.account_id = any (people) order by k.account_id for update;
  delete from vault.person_key k
  where k.account_id = any (people)
    and not exists (select 1 from vault.paper p where p.account_id = k.account_id and p.sealed is not null);
end $$;
revoke all on function vault.drop_idle_keys(bigint[]) from public;

create or replace function vault.shred_papers(wanted bigint[]) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  people bigint[];
  gone int;
begin
  select array_agg(distinct p.account_id) into people from vault.paper p where p.id = any (wanted);
  delete from vault.paper p where p.id = any (wanted) and not vault.is_in_review(p.id, p.account_id);
  get diagnostics gone = row_count;
  if gone > 0 then perform vault.drop_idle_keys(people); end if;
  return gone;
end $$;

-- As before, but a legal hold keeps papers from being forgotten, as it keeps those of a closed account.
create or replace function vault.forget(wanted bigint[], moment timestamptz, most int) returns int
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  chosen bigint[];
  people bigint[];
begin
  select array_agg(c.id), array_agg(distinct c.account_id) into chosen, people from (
    select p.id, p.account_id from vault.paper p
    where p.sealed is not null and (wanted is null or p.id = any (wanted))
      and (wanted is not null or (p.created_at < moment and not vault.ends_later(p.id, p.account_id)))
      and not vault.is_in_review(p.id, p.account_id)
      and not exists (select 1 from vault.opening o
                      where o.account_id = p.account_id and o.state = 'read' and o.hold_until > moment)
    order by p.id limit most for update skip locked) c;
  if chosen is null then return 0; end if;
  delete from vault.paper p where p.id = any (chosen) and p.index is null;
  update vault.paper p set sealed = null, wrapped_key = null, key_version = null, person_key = null, forgotten_at = moment
  where p.id = any (chosen);
  perform vault.drop_idle_keys(people);
  return cardinality(chosen);
end $$;

-- The key may go between the two steps: then the one that was offered is taken after all.
create or replace function vault.key_to_seal(person bigint, offered bytea, offered_version smallint, moment timestamptz)
returns table (version smallint, wrapped_key bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  for attempt in 1..5 loop
    insert into vault.person_key (account_id, version, wrapped_key, key_version, created_at)
    select person, coalesce(max(s.version), 0) + 1, offered, offered_version, moment
    from vault.shredded s where s.account_id = person
    on conflict (account_id) do nothing;
    return query
      select k.version, k.wrapped_key from vault.person_key k where k.account_id = person for share;
    if found then return; end if;
  end loop;
end $$;
