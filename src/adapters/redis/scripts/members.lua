-- Notes that a member lives, and answers all that take a share, in the order in which they came. Keys: the log's own record,
-- the members. Arguments: the channel, the member, its time to live, whether it takes a share ('1', '0') or leaves ('').
local channel, member, ttl, joins = arg(), arg(), tonumber(arg()), arg()
if redis.call('HGET', KEYS[1], 'identity') ~= identity then return gone end
local now, live, before = nowMs(), {}, nil
local all = redis.call('HGETALL', KEYS[2])
for at = 1, #all, 2 do
  local joined, expires, shares = string.match(all[at + 1], '^(%d+) (%d+) (%d)$')
  local one = { id = all[at], joined = tonumber(joined), shares = shares }
  if tonumber(expires) <= now then
    redis.call('HDEL', KEYS[2], one.id)
  elseif one.id == member then
    before = one
  else
    live[#live + 1] = one
  end
end
if joins == '' then
  redis.call('HDEL', KEYS[2], member)
else
  -- A member that comes back after a silence comes last.
  local own = { id = member, joined = before and before.joined or redis.call('HINCRBY', KEYS[1], 'joined', 1), shares = joins }
  redis.call('HSET', KEYS[2], member, own.joined .. ' ' .. whole(now + ttl) .. ' ' .. joins)
  live[#live + 1] = own
end
if joins == '' or before == nil or before.shares ~= joins then redis.call('PUBLISH', channel, 'leases') end
table.sort(live, function(one, other) return one.joined < other.joined end)
local ids = {}
for _, one in ipairs(live) do
  if one.shares == '1' then ids[#ids + 1] = one.id end
end
return ids
