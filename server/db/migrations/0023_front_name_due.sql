-- Until when somebody who is asked for the real name in front may publish without it; null asks for nothing.
alter table compliance.front_name add column due_at timestamptz;
