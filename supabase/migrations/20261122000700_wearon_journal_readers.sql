-- Readers of the journals beside the archive. Each registers with a row per partition that it follows and reports there how far
-- it came; nothing that it has not behind it is trimmed.

create table if not exists wearon.log_readers (
  name text not null,
  -- The reference makes a reader that registers wait for a trim that is under way: what it finds then, stays.
  partition int not null references wearon.log_partitions,
  -- The last step that it has behind it.
  number bigint not null default 0,
  primary key (partition, name)
);

-- Drops steps up to a number, no further than any registered reader came, and tombstones beyond a bound, oldest first, that closed
-- in steps which are dropped; answers until when sessions were forgotten.
create or replace function wearon.log_trim(of_partition int, by_token text, read_up_to bigint, tombstones_max int)
returns timestamptz
language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
  dropped timestamptz;
begin
  perform from wearon.log_partitions p where p.partition = of_partition and p.token = by_token for update;
  if not found then return null; end if;
  delete from wearon.log_journal j where j.partition = of_partition and j.number <= least(
    read_up_to, (select min(r.number) from wearon.log_readers r where r.partition = of_partition));
  with surplus as (
    select s.id from wearon.log_sessions s where s.partition = of_partition and s.closed_at is not null
    order by s.closed_at desc, s.id desc offset tombstones_max
  ), forgotten as (
    delete from wearon.log_sessions s using surplus o where s.partition = of_partition and s.id = o.id
      and s.closed_at < coalesce((select min(j.at) from wearon.log_journal j where j.partition = of_partition), 'infinity')
    returning s.closed_at
  )
  select max(f.closed_at) into dropped from forgotten f;
  update wearon.log_partitions p set forgotten_until = greatest(p.forgotten_until, dropped)
  where p.partition = of_partition and dropped is not null;
  return (select p.forgotten_until from wearon.log_partitions p where p.partition = of_partition);
end $$;
