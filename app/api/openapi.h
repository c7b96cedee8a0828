/*
 * The description of the API, which the build makes of openapi.py.
 */
#ifndef API_OPENAPI_H
#define API_OPENAPI_H

extern const char api_openapi_json[];

#endif
