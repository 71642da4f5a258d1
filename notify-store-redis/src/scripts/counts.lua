-- Counts by minute and by hour, and since when endpoints fail. Gathered first, so that a burst to one endpoint costs a
-- command or two, and written in the same step as the changes that they count.
-- So many old buckets go when a new one begins: none grows old alone, and no call runs long.
local MOST_REMOVED = 8
local resolutions = {}
for index = 1, tonumber(arg()) do resolutions[index] = { width = arg(), kept = tonumber(arg()) } end
local buckets, signs = {}, {}

local function bucket_key(width, start, tenant)
  return 'ac:' .. width .. ':' .. start .. ':' .. tenant
end

-- How one change counts: its sign ('', 'well', or the time of a failure), and what each attempt came to.
local function read_counted(tenant)
  local counted = { sign = arg(), attempts = {} }
  for index = 1, tonumber(arg()) do
    local attempt = { what = arg(), starts = {} }
    for r = 1, #resolutions do attempt.starts[r] = arg() end
    counted.attempts[index] = attempt
  end
  if ON_CLUSTER and #counted.attempts > 0 then
    local names = { 'failing' }
    for r, resolution in ipairs(resolutions) do
      local set = 'as:' .. resolution.width .. ':' .. tenant
      names[#names + 1] = set
      for _, start in ipairs(call('ZRANGE', P .. set, 0, MOST_REMOVED - 1)) do
        names[#names + 1] = bucket_key(resolution.width, start, tenant)
      end
      for _, attempt in ipairs(counted.attempts) do
        names[#names + 1] = bucket_key(resolution.width, attempt.starts[r], tenant)
      end
    end
    touch(names)
  end
  return counted
end

local function gather(tenant, endpoint, kind, counted)
  for _, attempt in ipairs(counted.attempts) do
    local field = endpoint .. '/' .. kind .. '/' .. attempt.what
    for r, start in ipairs(attempt.starts) do
      local set = 'as:' .. resolutions[r].width .. ':' .. tenant
      buckets[set] = buckets[set] or { resolution = resolutions[r], tenant = tenant, starts = {} }
      local starts = buckets[set].starts
      starts[start] = starts[start] or {}
      starts[start][field] = (starts[start][field] or 0) + 1
    end
  end
  if counted.sign == 'well' then
    signs[endpoint] = { well = true }
  elseif counted.sign ~= '' then
    signs[endpoint] = signs[endpoint] or {}
    signs[endpoint].since = signs[endpoint].since or counted.sign
  end
end

local function write_counts()
  for set, found in pairs(buckets) do
    local width, key = found.resolution.width, P .. set
    local newest = tonumber(call('ZRANGE', key, -1, -1)[1] or '')
    for start in pairs(found.starts) do newest = math.max(newest or tonumber(start), tonumber(start)) end
    local oldest, began = newest - found.resolution.kept, false
    for start, fields in pairs(found.starts) do
      -- One that came too late to be kept would be removed again.
      if tonumber(start) >= oldest then
        if call('ZADD', key, start, start) == 1 then began = true end
        for field, many in pairs(fields) do
          call('HINCRBY', P .. bucket_key(width, start, found.tenant), field, many)
        end
      end
    end
    if began then
      for _, start in ipairs(call('ZRANGEBYSCORE', key, '-inf', '(' .. int(oldest), 'LIMIT', 0, MOST_REMOVED)) do
        call('UNLINK', P .. bucket_key(width, start, found.tenant))
        call('ZREM', key, start)
      end
    end
  end
  for endpoint, sign in pairs(signs) do
    if sign.well then call('HDEL', P .. 'failing', endpoint) end
    if sign.since then call('HSETNX', P .. 'failing', endpoint, sign.since) end
  end
end
