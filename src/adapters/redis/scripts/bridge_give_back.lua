-- Puts what a bridge held back to where it came from, in its order, and forgets the bridge. Not while it lives, except when
-- it asks itself. Keys: list, holding, alive, bridges. Arguments: the bridge, whether it asks itself ('1'), how many at most.
-- Answers how many were put back; fewer than asked for: that was all.
if ARGV[2] == '1' then redis.call('DEL', KEYS[3]) end
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
for moved = 0, tonumber(ARGV[3]) - 1 do
  if not redis.call('LMOVE', KEYS[2], KEYS[1], 'LEFT', 'RIGHT') then
    redis.call('SREM', KEYS[4], ARGV[1])
    return moved
  end
end
return tonumber(ARGV[3])
