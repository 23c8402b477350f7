-- Puts a task behind those that wait in the producers' list, once for all calls with the same mark. Keys: list, mark.
-- Arguments: the task, for how many seconds the mark is kept. Answers 1 when it was put there now.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('SET', KEYS[2], '1', 'EX', ARGV[2])
return 1
