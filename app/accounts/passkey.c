/*
 * Verifying what an authenticator answered: see passkey.h.
 *
 * libfido2 verifies signatures and takes authenticator data apart; what the
 * browser says (client data) and the frame of an attestation it leaves to us.
 */
#include "accounts/passkey.h"

#include <cbor.h>
#include <fido.h>
#include <fido/es256.h>
#include <fido/rs256.h>
#include <jansson.h>

#include "base/setting.h"

#define FLAG_PRESENT	0x01
#define FLAG_VERIFIED	0x04
#define FLAG_ATTESTED	0x40
#define AUTHDATA_MIN	37	/* hash, flags, counter */

static enum passkey_verdict client_check(const struct passkey_site *,
		    const char *type, const unsigned char *challenge,
		    struct bytes client_data);
static enum passkey_verdict authdata_check(const struct passkey_site *,
		    const unsigned char *authdata, size_t n);
static bool	 attestation_open(struct arena *, struct bytes attestation,
		    struct bytes *ret_authdata);
static bool	 cbor_is(const cbor_item_t *, const char *word);
static enum passkey_verdict credential_read(struct arena *, int algorithm,
		    const unsigned char *client_hash, struct bytes authdata,
		    struct passkey_new *);
static int	 signature_check(const struct passkey *,
		    const struct passkey_site *, const unsigned char *hash,
		    const struct passkey_answer *);
static void	 fido_ready(void);

bool
passkey_field(struct arena *a, const char *text, struct bytes *ret_bytes)
{
	size_t		 n = strlen(text) * 3 / 4;
	unsigned char	*p;

	if (n == 0 || n > PASSKEY_FIELD_MAX)
		return (false);
	p = arena_alloc(a, n);
	if (!base64url_decode(p, n, text))
		return (false);
	*ret_bytes = (struct bytes){ p, n };
	return (true);
}

struct passkey_site
passkey_site(struct arena *a)
{
	const char	*host = strstr(setting->public_origin, "://") + 3;

	return ((struct passkey_site){ .rp_id = arena_strndup(a, host,
	    strcspn(host, ":/")), .origin = setting->public_origin });
}

void
passkey_challenge(const char *sealed, unsigned char ret_challenge[SHA256_BYTES])
{
	sha256(ret_challenge, sealed, strlen(sealed));
}

enum passkey_verdict
passkey_register(struct arena *a, const struct passkey_site *site,
    const unsigned char challenge[SHA256_BYTES], struct bytes client_data,
    struct bytes attestation, struct passkey_new *ret_new)
{
	enum passkey_verdict	verdict;
	unsigned char		hash[SHA256_BYTES];
	struct bytes		authdata;

	verdict = client_check(site, "webauthn.create", challenge,
	    client_data);
	if (verdict != PASSKEY_GOOD)
		return (verdict);
	if (!attestation_open(a, attestation, &authdata))
		return (PASSKEY_MALFORMED);
	verdict = authdata_check(site, authdata.p, authdata.n);
	if (verdict != PASSKEY_GOOD)
		return (verdict);
	if ((authdata.p[32] & FLAG_ATTESTED) == 0)
		return (PASSKEY_MALFORMED);
	sha256(hash, client_data.p, client_data.n);
	verdict = credential_read(a, PASSKEY_ES256, hash, authdata, ret_new);
	if (verdict != PASSKEY_GOOD)
		verdict = credential_read(a, PASSKEY_RS256, hash, authdata,
		    ret_new);
	return (verdict);
}

enum passkey_verdict
passkey_verify(const struct passkey_site *site,
    const unsigned char challenge[SHA256_BYTES],
    const struct passkey_answer *answer, const struct passkey *passkey,
    int64_t *ret_count)
{
	const unsigned char	*data = answer->authenticator_data.p;
	enum passkey_verdict	 verdict;
	unsigned char		 hash[SHA256_BYTES];
	int64_t			 count;

	verdict = client_check(site, "webauthn.get", challenge,
	    answer->client_data);
	if (verdict != PASSKEY_GOOD)
		return (verdict);
	verdict = authdata_check(site, data, answer->authenticator_data.n);
	if (verdict != PASSKEY_GOOD)
		return (verdict);
	sha256(hash, answer->client_data.p, answer->client_data.n);
	if (signature_check(passkey, site, hash, answer) != FIDO_OK)
		return (PASSKEY_BAD_SIGNATURE);
	count = (int64_t)data[33] << 24 | (int64_t)data[34] << 16 |
	    (int64_t)data[35] << 8 | (int64_t)data[36];
	/* Many authenticators keep none and always say 0. */
	if ((count != 0 || passkey->count != 0) && count <= passkey->count)
		return (PASSKEY_COUNTER_BACK);
	*ret_count = count;
	return (PASSKEY_GOOD);
}

/* Members that are not known are passed over, as the standard asks. */
static enum passkey_verdict
client_check(const struct passkey_site *site, const char *type,
    const unsigned char *challenge, struct bytes client_data)
{
	enum passkey_verdict	 verdict = PASSKEY_GOOD;
	const char		*said_type, *said_challenge, *said_origin;
	json_t			*json;
	char			 wanted[TOKEN_TEXT];

	json = json_loadb((const char *)client_data.p, client_data.n,
	    JSON_REJECT_DUPLICATES, NULL);
	said_type = json_string_value(json_object_get(json, "type"));
	said_challenge = json_string_value(json_object_get(json,
	    "challenge"));
	said_origin = json_string_value(json_object_get(json, "origin"));
	base64url_encode(wanted, challenge, SHA256_BYTES);
	if (said_type == NULL || said_challenge == NULL ||
	    said_origin == NULL)
		verdict = PASSKEY_MALFORMED;
	else if (!str_eq(said_type, type))
		verdict = PASSKEY_OTHER_TYPE;
	else if (!token_eq(said_challenge, wanted))
		verdict = PASSKEY_OTHER_CHALLENGE;
	else if (!str_eq(said_origin, site->origin) ||
	    json_is_true(json_object_get(json, "crossOrigin")))
		verdict = PASSKEY_OTHER_ORIGIN;
	json_decref(json);
	return (verdict);
}

static enum passkey_verdict
authdata_check(const struct passkey_site *site, const unsigned char *authdata,
    size_t n)
{
	unsigned char	hash[SHA256_BYTES];

	if (n < AUTHDATA_MIN)
		return (PASSKEY_MALFORMED);
	sha256(hash, site->rp_id, strlen(site->rp_id));
	if (!bytes_eq(hash, authdata, sizeof(hash)))
		return (PASSKEY_OTHER_SITE);
	if ((authdata[32] & FLAG_PRESENT) == 0 ||
	    (authdata[32] & FLAG_VERIFIED) == 0)
		return (PASSKEY_UNVERIFIED);
	return (PASSKEY_GOOD);
}

/* {"fmt": "none", "attStmt": {}, "authData": bytes}, in any order. */
static bool
attestation_open(struct arena *a, struct bytes attestation,
    struct bytes *ret_authdata)
{
	struct cbor_load_result	 result;
	struct cbor_pair	*pairs;
	cbor_item_t		*map, *value;
	unsigned		 seen = 0;
	size_t			 i;

	map = cbor_load(attestation.p, attestation.n, &result);
	if (map == NULL)
		return (false);
	if (cbor_isa_map(map) && cbor_map_is_definite(map) &&
	    result.read == attestation.n) {
		pairs = cbor_map_handle(map);
		for (i = 0; i < cbor_map_size(map); i++) {
			value = pairs[i].value;
			if (cbor_is(pairs[i].key, "fmt") &&
			    cbor_is(value, "none"))
				seen |= 1;
			if (cbor_is(pairs[i].key, "attStmt") &&
			    cbor_isa_map(value) && cbor_map_size(value) == 0)
				seen |= 2;
			if (cbor_is(pairs[i].key, "authData") &&
			    cbor_isa_bytestring(value) &&
			    cbor_bytestring_is_definite(value)) {
				ret_authdata->n =
				    cbor_bytestring_length(value);
				ret_authdata->p = arena_memdup(a,
				    cbor_bytestring_handle(value),
				    ret_authdata->n);
				seen |= 4;
			}
		}
	}
	cbor_decref(&map);
	return (seen == 7);
}

static bool
cbor_is(const cbor_item_t *item, const char *word)
{
	size_t	n = strlen(word);

	return (cbor_isa_string(item) && cbor_string_is_definite(item) &&
	    cbor_string_length(item) == n &&
	    memcmp(cbor_string_handle(item), word, n) == 0);
}

static enum passkey_verdict
credential_read(struct arena *a, int algorithm,
    const unsigned char *client_hash, struct bytes authdata,
    struct passkey_new *ret_new)
{
	enum passkey_verdict	 verdict = PASSKEY_MALFORMED;
	fido_cred_t		*cred;

	fido_ready();
	cred = fido_cred_new();
	if (cred == NULL)
		return (verdict);
	if (fido_cred_set_type(cred, algorithm) == FIDO_OK &&
	    fido_cred_set_clientdata_hash(cred, client_hash, SHA256_BYTES) ==
	    FIDO_OK && fido_cred_set_authdata_raw(cred, authdata.p,
	    authdata.n) == FIDO_OK && fido_cred_id_len(cred) > 0 &&
	    fido_cred_id_len(cred) <= PASSKEY_ID_MAX &&
	    fido_cred_pubkey_len(cred) > 0) {
		ret_new->id = (struct bytes){ arena_memdup(a,
		    fido_cred_id_ptr(cred), fido_cred_id_len(cred)),
		    fido_cred_id_len(cred) };
		ret_new->key = (struct bytes){ arena_memdup(a,
		    fido_cred_pubkey_ptr(cred), fido_cred_pubkey_len(cred)),
		    fido_cred_pubkey_len(cred) };
		ret_new->algorithm = algorithm;
		ret_new->count = fido_cred_sigcount(cred);
		verdict = PASSKEY_GOOD;
	}
	fido_cred_free(&cred);
	return (verdict);
}

static int
signature_check(const struct passkey *passkey, const struct passkey_site *site,
    const unsigned char *hash, const struct passkey_answer *answer)
{
	fido_assert_t	*as;
	es256_pk_t	*es = NULL;
	rs256_pk_t	*rs = NULL;
	int		 rc = FIDO_ERR_INTERNAL;

	fido_ready();
	as = fido_assert_new();
	es = es256_pk_new();
	rs = rs256_pk_new();
	if (as != NULL && es != NULL && rs != NULL &&
	    fido_assert_set_rp(as, site->rp_id) == FIDO_OK &&
	    fido_assert_set_clientdata_hash(as, hash, SHA256_BYTES) ==
	    FIDO_OK && fido_assert_set_count(as, 1) == FIDO_OK &&
	    fido_assert_set_authdata_raw(as, 0, answer->authenticator_data.p,
	    answer->authenticator_data.n) == FIDO_OK &&
	    fido_assert_set_sig(as, 0, answer->signature.p,
	    answer->signature.n) == FIDO_OK &&
	    fido_assert_set_up(as, FIDO_OPT_TRUE) == FIDO_OK &&
	    fido_assert_set_uv(as, FIDO_OPT_TRUE) == FIDO_OK) {
		if (passkey->algorithm == PASSKEY_ES256 &&
		    es256_pk_from_ptr(es, passkey->key.p, passkey->key.n) ==
		    FIDO_OK)
			rc = fido_assert_verify(as, 0, COSE_ES256, es);
		if (passkey->algorithm == PASSKEY_RS256 &&
		    rs256_pk_from_ptr(rs, passkey->key.p, passkey->key.n) ==
		    FIDO_OK)
			rc = fido_assert_verify(as, 0, COSE_RS256, rs);
	}
	es256_pk_free(&es);
	rs256_pk_free(&rs);
	fido_assert_free(&as);
	return (rc);
}

/* Looks for no device; only sets what the library says of itself. */
static void
fido_ready(void)
{
	static bool	ready;

	if (!ready)
		fido_init(0);
	ready = true;
}
