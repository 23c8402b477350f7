-- Moves tasks from the producers' list to a bridge's holding list, oldest first, and answers them. The bridge shows with it
-- that it lives. Keys: list, holding, alive, bridges. Arguments: the bridge, its time to live in ms, how many at most, and
-- after how many bytes no more.
local count, bytes = tonumber(ARGV[3]), tonumber(ARGV[4])
redis.call('SADD', KEYS[4], ARGV[1])
redis.call('SET', KEYS[3], '1', 'PX', ARGV[2])
local tasks, moved = {}, 0
while #tasks < count and moved < bytes do
  local task = redis.call('LMOVE', KEYS[1], KEYS[2], 'RIGHT', 'LEFT')
  if not task then break end
  tasks[#tasks + 1] = task
  moved = moved + #task
end
return tasks
