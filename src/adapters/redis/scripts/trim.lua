-- Drops steps up to a number, but none that a registered reader has not behind it, and tombstones beyond a bound that closed in
-- those, oldest first. Keys: meta, journal, closed, closings, readers. Arguments for each partition: token, number, bound.
-- Answers until when sessions were forgotten; false for another owner.
local SURPLUS_MAX = 5000
local answers = {}
for p = 1, count do
  local token, number, bound = arg(), tonumber(arg()), tonumber(arg())
  local kept = redis.call('HMGET', key(p, 1), 'identity', 'token', 'forgotten')
  local forgotten = kept[3]
  if kept[1] ~= identity or kept[2] ~= token then
    answers[p] = false
  else
    for _, said in ipairs(redis.call('HVALS', key(p, 5))) do number = math.min(number, readUpTo(said)) end
    redis.call('XTRIM', key(p, 2), 'MINID', whole(number + 1) .. '-0')
    local surplus = math.min(redis.call('LLEN', key(p, 4)) - bound, SURPLUS_MAX)
    for _, closing in ipairs(surplus > 0 and redis.call('LRANGE', key(p, 4), 0, surplus - 1) or {}) do
      local step, at, id = string.match(closing, '^(%d+) (%S+) (.+)$')
      if tonumber(step) > number then break end
      redis.call('LPOP', key(p, 4))
      -- One that closed again since is younger than this.
      local text = redis.call('HGET', key(p, 3), id)
      if text and string.find(text, at, 1, true) then
        redis.call('HDEL', key(p, 3), id)
        if at > forgotten then forgotten = at end
      end
    end
    if forgotten ~= kept[3] then redis.call('HSET', key(p, 1), 'forgotten', forgotten) end
    answers[p] = forgotten
  end
end
return answers
