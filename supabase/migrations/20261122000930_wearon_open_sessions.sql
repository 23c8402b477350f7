-- What is under way, for the metrics: the sessions that have not ended by their state, and since when the oldest waits.
create or replace function public.wearon_open_sessions() returns json
language sql stable security definer set search_path = '' as $$
  select coalesce(json_agg(json_build_object('state', state, 'count', count, 'oldest', wearon.utc(oldest))), '[]') from (
    select r.state, count(*) as count, min(s.requested_at) as oldest
    from wearon.refunds as s join wearon.session_rows as r on r.id = s.session_id
    where s.outcome = 'open' and r.state in ('queued', 'processing') group by r.state) as open
$$;

select wearon.lock_down();
