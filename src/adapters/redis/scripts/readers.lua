-- The registered readers of each partition. Keys: meta, journal, readers. Answers for each reader its name, how many steps are
-- there that it has not behind it, and when the oldest of those was written; '' for none.
local answers = {}
for p = 1, count do
  local head = tonumber(redis.call('HGET', key(p, 1), 'number') or '0')
  local all = redis.call('HGETALL', key(p, 3))
  answers[p] = {}
  for at = 1, #all, 2 do
    local answer, behind, since = answers[p], 0, ''
    local entry = redis.call('XRANGE', key(p, 2), '(' .. whole(readUpTo(all[at + 1])) .. '-0', '+', 'COUNT', 1)[1]
    if entry then
      behind = head - tonumber(string.match(entry[1], '^%d+')) + 1
      -- The step's own time stands before its facts.
      since = string.match(entry[2][2], '"at":"([^"]+)"') or ''
    end
    answer[#answer + 1] = all[at]
    answer[#answer + 1] = behind
    answer[#answer + 1] = since
  end
end
return answers
