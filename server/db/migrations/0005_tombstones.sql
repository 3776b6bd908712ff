-- A deletion is remembered for the one who said it: a neighbour on the same server, who may name any id there,
-- must not keep a post from coming that is not theirs. 0 stands for what was noted before that was kept.
alter table federation.tombstone add column account_id bigint not null default 0;
alter table federation.tombstone drop constraint tombstone_pkey;
alter table federation.tombstone add primary key (uri, account_id);
