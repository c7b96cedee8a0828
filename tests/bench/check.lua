-- For wrk: asks the checks of a file in turn, each line "URI KEY BASIC".
--	wrk -s check.lua URL -- FILE TARGET METHOD_HEADER URI_HEADER DELAY_MS
-- TARGET "=" asks URI itself, as clients of a gateway do.
local requests, n, wait = {}, 0, 0

function init(args)
	local target, method, uri = args[2], args[3], args[4]
	wait = tonumber(args[5] or "0")
	for line in io.lines(args[1]) do
		local path, key, basic = line:match("^(%S+) (%S+) (%S+)$")
		local head = target == "=" and path or target
		local more = method == "-" and "" or
		    method .. ": GET\r\n" .. uri .. ": " .. path .. "\r\n"
		requests[#requests + 1] = "GET " .. head ..
		    " HTTP/1.1\r\nHost: localhost\r\n" .. more ..
		    "Ocp-Apim-Subscription-Key: " .. key ..
		    "\r\nAuthorization: Basic " .. basic .. "\r\n\r\n"
	end
end

function request()
	n = n % #requests + 1
	return requests[n]
end

function delay()
	return wait
end
