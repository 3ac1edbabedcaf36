// An addon for Node that loses 1 KB of malloc's at each call. Node-API is declared here as far as
// it is used, so that no header of Node's need be installed.
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef struct napi_env__* napi_env;
typedef struct napi_value__* napi_value;
typedef struct napi_callback_info__* napi_callback_info;
typedef napi_value (*napi_callback)(napi_env, napi_callback_info);
int napi_create_function(napi_env, const char* name, size_t length, napi_callback, void* data,
                         napi_value* result);

static napi_value lose(napi_env env, napi_callback_info info) {
  (void)env;
  (void)info;
  char* volatile block = malloc(1024);
  if (block != NULL) memset(block, 1, 1024);
  return NULL;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env,
                                                                          napi_value exports) {
  napi_value function = exports;
  napi_create_function(env, "lose", 4, lose, NULL, &function);
  return function;
}
