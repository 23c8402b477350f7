-- How many messages of each inbox no commit has behind it: a commit drops what it has read. Keys: inbox.
local answers = {}
for p = 1, count do answers[p] = redis.call('XLEN', key(p, 1)) end
return answers
