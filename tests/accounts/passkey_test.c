/*
 * Passkeys: answers of Chromium's virtual authenticator to the challenge 0, 1,
 * 2 ... 31 at http://localhost:8137, one with ES256 and one with RS256, taken
 * as they are and with one thing wrong at a time.
 */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "accounts/passkey.h"

struct vector {
	const char	*id, *create, *attestation, *get, *data, *signature;
};

static const struct vector	 es256 = {
	.id =
	    "g9siBy4zbAf16tJzSMoDc9FYoihSuAHQSYVetELmoXI",
	.create =
	    "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiQUFFQ0F3"
	    "UUZCZ2NJQ1FvTERBME9EeEFSRWhNVUZSWVhHQmthR3h3ZEhoOCIsIm9yaWdp"
	    "biI6Imh0dHA6Ly9sb2NhbGhvc3Q6ODEzNyIsImNyb3NzT3JpZ2luIjpmYWxz"
	    "ZX0",
	.attestation =
	    "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVikSZYN5YgOjGh0NBcPZHZg"
	    "W4_krrmihjLHmVzzuoMdl2NFAAAAAQECAwQFBgcIAQIDBAUGBwgAIIPbIgcu"
	    "M2wH9erSc0jKA3PRWKIoUrgB0EmFXrRC5qFypQECAyYgASFYIHsaEcmOrhZJ"
	    "kF16EnOnZHCYjUhMpzni1cmML9qkqaJgIlgg9BXXciT09tzrwWyLz30OkiJo"
	    "XFOmMLdAVH50bY2Dy6I",
	.get =
	    "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUFFQ0F3UUZC"
	    "Z2NJQ1FvTERBME9EeEFSRWhNVUZSWVhHQmthR3h3ZEhoOCIsIm9yaWdpbiI6"
	    "Imh0dHA6Ly9sb2NhbGhvc3Q6ODEzNyIsImNyb3NzT3JpZ2luIjpmYWxzZX0",
	.data =
	    "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAg",
	.signature =
	    "MEUCIQC9AVcvcvpOkV8_cAQ24ia6HJIatFYPHXHlW4ZGKUJpIgIgFRqNKy81"
	    "RgO1_Ihzga2cACv6XKMWmMsrfIJHoarXrAM",
};
static const struct vector	 rs256 = {
	.id =
	    "TOxpDuE88FrP92gtbjvQrnja6WBw7EpmQr5ZxMcFAV8",
	.create =
	    "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIiwiY2hhbGxlbmdlIjoiQUFFQ0F3"
	    "UUZCZ2NJQ1FvTERBME9EeEFSRWhNVUZSWVhHQmthR3h3ZEhoOCIsIm9yaWdp"
	    "biI6Imh0dHA6Ly9sb2NhbGhvc3Q6ODEzNyIsImNyb3NzT3JpZ2luIjpmYWxz"
	    "ZX0",
	.attestation =
	    "o2NmbXRkbm9uZWdhdHRTdG10oGhhdXRoRGF0YVkBZ0mWDeWIDoxodDQXD2R2"
	    "YFuP5K65ooYyx5lc87qDHZdjRQAAAAEBAgMEBQYHCAECAwQFBgcIACBM7GkO"
	    "4TzwWs_3aC1uO9CueNrpYHDsSmZCvlnExwUBX6QBAwM5AQAgWQEAna1coOMj"
	    "bYZlLpOE411duNt0W-PbnidhHByNI920_lvPCixd77NpcNL5tVeTsYGxIZy1"
	    "6jM-6XIk_mgg3zYRhrm1nOa6wxTzvw4Lg-gfsXarmBw01_jyoiYNqGSicbYO"
	    "ApKFTsdCqBXuC3zcwJ1nQifwbxOlfBr04ycbdGMs6eSp_0z2v-vtwgd2lZpS"
	    "8r11Vh6i7e2HV8WmHTIOF3DOl56XFsfP_MV4uq_SHUn7_qgH4PfoIxkxBKYh"
	    "5lXk7hT1oSPfYn44u_q7k_iITUaVvIyfzdGokRZMhwEf-bRlOr3bBKfLdx27"
	    "HORnMrWuqaRwFVTGnfC_Hegj-pYre2iVkyFDAQAB",
	.get =
	    "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0IiwiY2hhbGxlbmdlIjoiQUFFQ0F3UUZC"
	    "Z2NJQ1FvTERBME9EeEFSRWhNVUZSWVhHQmthR3h3ZEhoOCIsIm9yaWdpbiI6"
	    "Imh0dHA6Ly9sb2NhbGhvc3Q6ODEzNyIsImNyb3NzT3JpZ2luIjpmYWxzZX0",
	.data =
	    "SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAAAg",
	.signature =
	    "lQFPsi4Xd-xQRmhcVl6DNS8fZVkVycsSifUqtNDOyPOf7oneDZLEupK-_Dkg"
	    "dBSnm67ZFn1ZCx3mBnbw_t6AlN3emNc9MRMEndy3P-QeiZoM8gylcwF8NUWT"
	    "GHLOQhN7u9WF33SwvC44IaHPUy4axvHTmInyhI9vJwbKQdbGQyStTYyfPdD0"
	    "uN7MEkQO7IPmNOtWkuYHm2bDrPdxZK14KaKbdS8fKcKEwsUzhdDPfHAgowys"
	    "DoKUDNuIRCkxP_Yf4stMZAQM0HIXkoNaTyQogT2bhSmc2VrUwZg7w6b7V8gb"
	    "kUEzdBz7Sq_Biyg5ZKpD7WHnNNHPB_PnC7HwyIitlg",
};

static const struct passkey_site site = { "localhost",
	"http://localhost:8137" };
static unsigned char		 challenge[SHA256_BYTES];
static struct arena		*arena;

static int
setup(void **state)
{
	size_t	i;

	(void)state;
	crypto_init();
	arena = arena_new(4u << 20, NULL, NULL);
	for (i = 0; i < sizeof(challenge); i++)
		challenge[i] = (unsigned char)i;
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(arena);
	return (0);
}

static struct bytes
field(const char *text)
{
	struct bytes	bytes;

	assert_true(passkey_field(arena, text, &bytes));
	return (bytes);
}

static struct passkey_answer
answer_of(const struct vector *v)
{
	return ((struct passkey_answer){ .id = field(v->id),
	    .client_data = field(v->get),
	    .authenticator_data = field(v->data),
	    .signature = field(v->signature) });
}

/* Registers it, as it is. */
static struct passkey
passkey_of(const struct vector *v, int algorithm)
{
	struct passkey_new	new;
	struct bytes		id = field(v->id);

	assert_int_equal(passkey_register(arena, &site, challenge,
	    field(v->create), field(v->attestation), &new), PASSKEY_GOOD);
	assert_int_equal(new.algorithm, algorithm);
	assert_int_equal(new.count, 1);
	assert_int_equal(new.id.n, id.n);
	assert_memory_equal(new.id.p, id.p, id.n);
	return ((struct passkey){ .key = new.key, .algorithm = new.algorithm,
	    .count = new.count });
}

/* A copy with one byte changed. */
static struct bytes
flipped(struct bytes from, size_t at, unsigned char bits)
{
	unsigned char	*p = arena_memdup(arena, from.p, from.n);

	assert_true(at < from.n);
	p[at] ^= bits;
	return ((struct bytes){ p, from.n });
}

static struct bytes
text(const char *s)
{
	return ((struct bytes){ (const unsigned char *)s, strlen(s) });
}

static void
test_good(void **state)
{
	const struct vector	*vectors[] = { &es256, &rs256 };
	const int		 algorithms[] = { PASSKEY_ES256,
				    PASSKEY_RS256 };
	struct passkey_answer	 answer;
	struct passkey		 passkey;
	int64_t			 count = 0;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(vectors); i++) {
		passkey = passkey_of(vectors[i], algorithms[i]);
		answer = answer_of(vectors[i]);
		assert_int_equal(passkey_verify(&site, challenge, &answer,
		    &passkey, &count), PASSKEY_GOOD);
		assert_int_equal(count, 2);
		/* One that counts not at all would say 0 each time; this one
		 * has counted, and does not go back. */
		passkey.count = 2;
		assert_int_equal(passkey_verify(&site, challenge, &answer,
		    &passkey, &count), PASSKEY_COUNTER_BACK);
		passkey.count = 7;
		assert_int_equal(passkey_verify(&site, challenge, &answer,
		    &passkey, &count), PASSKEY_COUNTER_BACK);
	}
}

static void
test_wrong_answers(void **state)
{
	const struct passkey_site other = { "localhost",
				    "http://localhost:8138" };
	const struct passkey_site another = { "evil.example",
				    "http://localhost:8137" };
	const struct passkey	 passkey = passkey_of(&es256, PASSKEY_ES256);
	const struct passkey	 foreign = passkey_of(&rs256, PASSKEY_RS256);
	struct passkey		 mixed = foreign;
	struct passkey_answer	 good = answer_of(&es256), bad;
	unsigned char		 wrong[SHA256_BYTES];
	int64_t			 count = -1;
	size_t			 i;

	(void)state;
	memcpy(wrong, challenge, sizeof(wrong));
	wrong[31] ^= 1;
	assert_int_equal(passkey_verify(&site, wrong, &good, &passkey,
	    &count), PASSKEY_OTHER_CHALLENGE);
	assert_int_equal(passkey_verify(&other, challenge, &good, &passkey,
	    &count), PASSKEY_OTHER_ORIGIN);
	assert_int_equal(passkey_verify(&another, challenge, &good, &passkey,
	    &count), PASSKEY_OTHER_SITE);
	bad = good;
	bad.client_data = field(es256.create);
	assert_int_equal(passkey_verify(&site, challenge, &bad, &passkey,
	    &count), PASSKEY_OTHER_TYPE);
	/* Neither present nor verified. */
	bad = good;
	bad.authenticator_data = flipped(good.authenticator_data, 32, 0x04);
	assert_int_equal(passkey_verify(&site, challenge, &bad, &passkey,
	    &count), PASSKEY_UNVERIFIED);
	bad.authenticator_data = flipped(good.authenticator_data, 32, 0x01);
	assert_int_equal(passkey_verify(&site, challenge, &bad, &passkey,
	    &count), PASSKEY_UNVERIFIED);
	/* The counter and every other bit are under the signature. */
	bad.authenticator_data = flipped(good.authenticator_data, 36, 0x10);
	assert_int_equal(passkey_verify(&site, challenge, &bad, &passkey,
	    &count), PASSKEY_BAD_SIGNATURE);
	for (i = 0; i < good.signature.n; i += 7) {
		bad = good;
		bad.signature = flipped(good.signature, i, 0x01);
		assert_int_equal(passkey_verify(&site, challenge, &bad,
		    &passkey, &count), PASSKEY_BAD_SIGNATURE);
	}
	/* Somebody else's key, and a key of another kind. */
	assert_int_equal(passkey_verify(&site, challenge, &good, &foreign,
	    &count), PASSKEY_BAD_SIGNATURE);
	mixed.algorithm = PASSKEY_ES256;
	assert_int_equal(passkey_verify(&site, challenge, &good, &mixed,
	    &count), PASSKEY_BAD_SIGNATURE);
	mixed.algorithm = 0;
	assert_int_equal(passkey_verify(&site, challenge, &good, &mixed,
	    &count), PASSKEY_BAD_SIGNATURE);
	bad = good;
	bad.authenticator_data.n = 36;
	assert_int_equal(passkey_verify(&site, challenge, &bad, &passkey,
	    &count), PASSKEY_MALFORMED);
	assert_int_equal(count, -1);
}

#define CLIENT(type, challenge, origin, more)				\
	"{\"type\":\"" type "\",\"challenge\":\"" challenge "\","	\
	"\"origin\":\"" origin "\"" more "}"
#define CHALLENGE	"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
#define HERE		"http://localhost:8137"

static void
test_client_data(void **state)
{
	static const struct {
		const char		*said;
		enum passkey_verdict	 verdict;
	}			 rows[] = {
		{ CLIENT("webauthn.get", CHALLENGE, HERE, ""),
		    PASSKEY_BAD_SIGNATURE },	/* and so was read as good */
		{ CLIENT("webauthn.get", CHALLENGE, HERE,
		    ",\"crossOrigin\":true"), PASSKEY_OTHER_ORIGIN },
		{ CLIENT("webauthn.get", CHALLENGE, HERE "/", ""),
		    PASSKEY_OTHER_ORIGIN },
		{ CLIENT("webauthn.get", CHALLENGE, "https://localhost:8137",
		    ""), PASSKEY_OTHER_ORIGIN },
		{ CLIENT("webauthn.get", CHALLENGE "=", HERE, ""),
		    PASSKEY_OTHER_CHALLENGE },
		{ CLIENT("webauthn.get", "", HERE, ""),
		    PASSKEY_OTHER_CHALLENGE },
		{ CLIENT("webauthn.GET", CHALLENGE, HERE, ""),
		    PASSKEY_OTHER_TYPE },
		/* Twice, so that two readers could differ. */
		{ CLIENT("webauthn.get", CHALLENGE, HERE,
		    ",\"origin\":\"http://evil.example\""),
		    PASSKEY_MALFORMED },
		{ "{\"type\":1,\"challenge\":2,\"origin\":3}",
		    PASSKEY_MALFORMED },
		{ "{}", PASSKEY_MALFORMED },
		{ "[]", PASSKEY_MALFORMED },
		{ "", PASSKEY_MALFORMED },
		{ "{\"type\":", PASSKEY_MALFORMED },
	};
	const struct passkey	 passkey = passkey_of(&es256, PASSKEY_ES256);
	struct passkey_answer	 answer = answer_of(&es256);
	int64_t			 count;
	size_t			 i;

	(void)state;
	for (i = 0; i < COUNT(rows); i++) {
		answer.client_data = text(rows[i].said);
		assert_int_equal(passkey_verify(&site, challenge, &answer,
		    &passkey, &count), rows[i].verdict);
	}
}

static void
test_wrong_attestations(void **state)
{
	const struct bytes	 client = field(es256.create);
	const struct bytes	 good = field(es256.attestation);
	const struct passkey_site another = { "evil.example",
				    "http://localhost:8137" };
	struct passkey_new	 new;
	struct bytes		 bad;
	size_t			 i, authdata;

	(void)state;
	assert_int_equal(passkey_register(arena, &site, challenge,
	    field(es256.get), good, &new), PASSKEY_OTHER_TYPE);
	assert_int_equal(passkey_register(arena, &another, challenge, client,
	    good, &new), PASSKEY_OTHER_SITE);
	/* Cut anywhere, or with something behind it. */
	for (i = 0; i < good.n; i += 5) {
		bad = (struct bytes){ good.p, i };
		assert_int_equal(passkey_register(arena, &site, challenge,
		    client, bad, &new), PASSKEY_MALFORMED);
	}
	bad.p = memcpy(arena_alloc(arena, good.n + 1), good.p, good.n);
	bad.n = good.n + 1;
	assert_int_equal(passkey_register(arena, &site, challenge, client,
	    bad, &new), PASSKEY_MALFORMED);
	/* "none" made to "nonf"; flags of the authenticator's data. */
	assert_memory_equal(good.p + 6, "none", 4);
	assert_int_equal(passkey_register(arena, &site, challenge, client,
	    flipped(good, 9, 3), &new), PASSKEY_MALFORMED);
	for (authdata = 0; memcmp(good.p + authdata, "authData", 8) != 0;
	    authdata++)
		continue;
	authdata += 8 + 2;
	assert_int_equal(good.p[authdata + 32], 0x45);
	assert_int_equal(passkey_register(arena, &site, challenge, client,
	    flipped(good, authdata + 32, 0x04), &new), PASSKEY_UNVERIFIED);
	assert_int_equal(passkey_register(arena, &site, challenge, client,
	    flipped(good, authdata + 32, 0x40), &new), PASSKEY_MALFORMED);
}

static void
test_fields(void **state)
{
	struct bytes	 bytes;
	char		*text_of = arena_alloc(arena, 4 * PASSKEY_FIELD_MAX);

	(void)state;
	assert_true(passkey_field(arena, "AAEC", &bytes));
	assert_int_equal(bytes.n, 3);
	assert_memory_equal(bytes.p, "\0\1\2", 3);
	assert_false(passkey_field(arena, "", &bytes));
	assert_false(passkey_field(arena, "A", &bytes));
	assert_false(passkey_field(arena, "AA==", &bytes));
	assert_false(passkey_field(arena, "A+/A", &bytes));
	memset(text_of, 'A', 2 * PASSKEY_FIELD_MAX);
	assert_false(passkey_field(arena, text_of, &bytes));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_wrong_answers),
		cmocka_unit_test(test_client_data),
		cmocka_unit_test(test_wrong_attestations),
		cmocka_unit_test(test_fields),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
