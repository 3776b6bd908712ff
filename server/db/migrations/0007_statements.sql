-- Decisions that a person takes about more than one activity (an identity, a certificate, a comment, a standing) carry their
-- statement of reasons and who took them. What the gate decides by itself has neither.
alter table compliance.decision add column statement text;
alter table compliance.decision add column decided_by bigint;

-- Who acted, where an account acted through somebody: the person, while `actor_id` is the organisation.
alter table compliance.record add column by_id bigint;
create index record_by on compliance.record (by_id, id desc) where by_id is not null;

-- What people are told by the house itself: a text of the catalogue by its code, with values and the page that it is about.
alter table notification drop constraint notification_kind_check;
alter table notification add constraint notification_kind_check check (kind in (
  'mention', 'status', 'reblog', 'follow', 'follow_request', 'favourite', 'update', 'decision', 'notice'));
alter table notification add column code text;
alter table notification add column details jsonb not null default '{}';
alter table notification add column link text;
alter table notification add constraint notification_notice_check check ((kind = 'notice') = (code is not null));
