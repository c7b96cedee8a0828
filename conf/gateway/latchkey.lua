-- Asks Latchkey whether a call may pass: see haproxy.cfg.  A call that may goes
-- on with txn.latchkey "passed" and what Latchkey says of it in variables; a
-- denial is answered here, as Latchkey words it; what is neither leaves
-- txn.latchkey unset.

local url = "http://127.0.0.1:8082/check"	-- "listen latchkey"
local asked_with = { "ocp-apim-subscription-key", "x-api-key", "authorization",
	"x-tenant-name", "x-revio-host" }
local told = { "x-latchkey-tenant", "x-latchkey-subscription",
	"x-latchkey-product", "x-latchkey-api-user", "x-latchkey-accounts",
	"x-latchkey-environment", "x-latchkey-key", "x-latchkey-scopes",
	"ratelimit", "ratelimit-policy" }
local answered = { "content-type", "cache-control", "www-authenticate",
	"retry-after", "ratelimit", "ratelimit-policy" }

local function first(values)
	return values and (values[0] or values[1])
end

local function ask(txn)
	local came = txn.http:req_get_headers()
	local headers = {
		["x-forwarded-method"] = { txn.sf:method() },
		["x-forwarded-uri"] = { txn.sf:pathq() },
		["x-forwarded-for"] = { txn.sf:src() },
	}
	for _, name in ipairs(asked_with) do
		-- All of them: two keys are a call that Latchkey refuses.
		if came[name] then
			headers[name] = {}
			for i = 0, #came[name] do
				table.insert(headers[name], came[name][i])
			end
		end
	end
	local ok, answer = pcall(function()
		return core.httpclient():get{ url = url, headers = headers,
			timeout = 5000 }
	end)
	if not ok or not answer or not answer.headers then
		return
	end
	if answer.status == 200 then
		for _, name in ipairs(told) do
			local value = first(answer.headers[name])
			if value then
				txn:set_var("txn." .. name:gsub("-", "_"), value)
			end
		end
		txn:set_var("txn.latchkey", "passed")
	elseif answer.headers["x-latchkey-status"] or
	    (answer.status >= 400 and answer.status < 500) then
		local reply = txn:reply()
		reply:set_status(answer.status)
		for _, name in ipairs(answered) do
			local value = first(answer.headers[name])
			if value then
				reply:add_header(name, value)
			end
		end
		if txn.sf:method() ~= "HEAD" then
			reply:set_body(answer.body or "")
		end
		txn:done(reply)
	end
end

-- Takes the key out of the query, where the API needs none.
local function hide(txn)
	local query = txn.sf:query()
	local kept = {}
	local found = false
	for field in query:gmatch("[^&]+") do
		if field:match("^[^=]*"):lower() == "subscription-key" then
			found = true
		else
			table.insert(kept, field)
		end
	end
	if found then
		txn.http:req_set_query(table.concat(kept, "&"))
	end
end

core.register_action("latchkey", { "http-req" }, ask, 0)
core.register_action("latchkey_hide", { "http-req" }, hide, 0)
