#include "CConsole.h"

// Of C23; clang has it in every dialect.
#pragma clang diagnostic ignored "-Wc23-extensions"

// Each file becomes an array of its bytes.
static const uint8_t index_html[] = {
#embed "page/index.html"
};
static const uint8_t console_css[] = {
#embed "page/console.css"
};
static const uint8_t icon_svg[] = {
#embed "page/icon.svg"
};
static const uint8_t main_js[] = {
#embed "page/main.js"
};
static const uint8_t contract_js[] = {
#embed "page/contract.js"
};
static const uint8_t server_js[] = {
#embed "page/server.js"
};
static const uint8_t elements_js[] = {
#embed "page/elements.js"
};
static const uint8_t format_js[] = {
#embed "page/format.js"
};
static const uint8_t decide_js[] = {
#embed "page/decide.js"
};
static const uint8_t overview_js[] = {
#embed "page/overview.js"
};
static const uint8_t features_js[] = {
#embed "page/features.js"
};
static const uint8_t models_js[] = {
#embed "page/models.js"
};
static const uint8_t drift_js[] = {
#embed "page/drift.js"
};
static const uint8_t retraining_js[] = {
#embed "page/retraining.js"
};
static const uint8_t cost_js[] = {
#embed "page/cost.js"
};

#define FILE_OF(name, bytes) {name, bytes, sizeof bytes}

static const hr_console_file files[] = {
    FILE_OF("index.html", index_html),    FILE_OF("console.css", console_css), FILE_OF("icon.svg", icon_svg),
    FILE_OF("main.js", main_js),          FILE_OF("contract.js", contract_js), FILE_OF("server.js", server_js),
    FILE_OF("elements.js", elements_js),  FILE_OF("format.js", format_js),     FILE_OF("decide.js", decide_js),
    FILE_OF("overview.js", overview_js),  FILE_OF("features.js", features_js), FILE_OF("models.js", models_js),
    FILE_OF("drift.js", drift_js),        FILE_OF("retraining.js", retraining_js), FILE_OF("cost.js", cost_js),
};

const hr_console_file *hr_console_files(size_t *count) {
  *count = sizeof files / sizeof *files;
  return files;
}
