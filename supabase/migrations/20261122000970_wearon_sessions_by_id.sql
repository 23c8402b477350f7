-- The sessions that several requests ask for at the same moment, in one round trip: in the order of the ids, for each its row, or its facts
-- while it has none. An unknown one has neither.
create or replace function public.wearon_sessions_by_id(p_sessions jsonb) returns json
language plpgsql stable security definer set search_path = '' set plan_cache_mode = auto set enable_seqscan = off as $$
begin
  return (select coalesce(json_agg(json_build_object('row', found.row, 'facts', case when found.row is null then
      (select json_agg(fact order by seq) from wearon.facts where session_id = asked.id) end) order by asked.place), '[]')
    from (select value::uuid as id, place from jsonb_array_elements_text(p_sessions) with ordinality as one (value, place)) as asked
    left join lateral (select to_jsonb(r) || jsonb_build_object('request_id',
        (select fact ->> 'requestId' from wearon.facts where session_id = r.id and seq = 1)) as row
      from wearon.session_rows as r where r.id = asked.id and r.state is not null limit 1) as found on true);
end $$;

select wearon.lock_down();
