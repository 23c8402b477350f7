-- Begins every script. A script works on several partitions, as many keys for each: KEYS holds those of the first, then those
-- of the second; ARGV the log's identity, the number of partitions, and what each script says. One answer for each partition.
local identity, count = ARGV[1], tonumber(ARGV[2])
local width = #KEYS / count
local cursor = 2

local function arg()
  cursor = cursor + 1
  return ARGV[cursor]
end

local function key(partition, nth)
  return KEYS[(partition - 1) * width + nth]
end

-- Ids of streams as two numbers.
local function parts(id)
  local ms, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(ms), tonumber(seq)
end

local function isLater(one, other)
  local ms, seq = parts(one)
  local otherMs, otherSeq = parts(other)
  return ms > otherMs or (ms == otherMs and seq > otherSeq)
end

-- Calls a command with a slice of ARGV, in pieces: Lua's stack takes no more at once.
local function inPieces(command, on, first, last)
  for from = first, last, 2000 do
    redis.call(command, on, unpack(ARGV, from, math.min(from + 1999, last)))
  end
end

local function nowMs()
  local time = redis.call('TIME')
  return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
end

local function whole(number)
  return string.format('%.0f', number)
end

-- The step that a reader says to have behind it: its number, or the id of its entry. What makes no sense holds everything.
local function readUpTo(said)
  return math.min(tonumber(string.match(said, '^(%d+)') or '0'), 2 ^ 53)
end

local UNNAMED = '-'

-- The session that a task is for. What is not found here is looked up later: this only has to be right about the messages that
-- producers really send.
local function sessionIn(task)
  local id = string.match(task, '"session_id"%s*:%s*"(%x+%-%x+%-%x+%-%x+%-%x+)"')
  return id and #id == 36 and string.lower(id) or UNNAMED
end

-- A dead letter's place among the burials: by state, then by when it first died.
local function place(id, letter)
  return letter.state .. '|' .. letter.firstSeenAt .. '|' .. id
end

local gone = { err = 'NOLOG the log is not there any more, or another one is in its place' }
