-- Puts what a bridge held back to where it came from, in its order, unless the bridge lives; answers how many are left there.
-- Keys: list, holding, alive, bridges. Arguments: the bridge, how many at most.
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
for _ = 1, tonumber(ARGV[2]) do
  if not redis.call('LMOVE', KEYS[2], KEYS[1], 'LEFT', 'RIGHT') then
    redis.call('SREM', KEYS[4], ARGV[1])
    return 0
  end
end
return redis.call('LLEN', KEYS[2])
