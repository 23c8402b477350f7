-- What is kept of sessions. Keys: open, closed. Arguments for each partition: how many, their ids. Answers those that are
-- known, each as its place among the ids and its text.
local function known(on, first, last, answer, missing)
  for from = first, last, 2000 do
    local upTo = math.min(from + 1999, last)
    for nth, text in ipairs(redis.call('HMGET', on, unpack(ARGV, from, upTo))) do
      if text then
        answer[#answer + 1] = from - first + nth - 1
        answer[#answer + 1] = text
      elseif missing then
        missing[#missing + 1] = from + nth - 1
      end
    end
  end
end

local answers = {}
for p = 1, count do
  local ids = tonumber(arg())
  local first = cursor + 1
  cursor = cursor + ids
  local answer, missing = {}, {}
  known(key(p, 1), first, cursor, answer, missing)
  if #missing == ids then
    known(key(p, 2), first, cursor, answer)
  else
    for _, at in ipairs(missing) do
      local text = redis.call('HGET', key(p, 2), ARGV[at])
      if text then
        answer[#answer + 1] = at - first
        answer[#answer + 1] = text
      end
    end
  end
  answers[p] = answer
end
return answers
