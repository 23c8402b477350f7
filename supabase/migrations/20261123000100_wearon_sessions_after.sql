-- A repair reads page after page. Named as an array, a page's sessions are looked up; as a subquery they were joined with the
-- whole archive, for each page anew.
create or replace function public.wearon_sessions_after(
  p_partition integer, p_number bigint, p_after uuid, p_limit integer) returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(facts order by session_id), '[]') from (
    select session_id, json_agg(fact order by seq) as facts from wearon.whole_facts
    where session_id = any (array(
      select distinct session_id from wearon.facts
      where partition = p_partition and step > p_number and (p_after is null or session_id > p_after)
      order by session_id limit p_limit))
    group by session_id) as histories
$$;

select wearon.allow_long('wearon_sessions_after');
select wearon.lock_down();
