-- Whose the records are; empty where there is none. Keys: meta, or the log's own record.
local answers = {}
for p = 1, count do answers[p] = redis.call('HGET', key(p, 1), 'identity') or '' end
return answers
