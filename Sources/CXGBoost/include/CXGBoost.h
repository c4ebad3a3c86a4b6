/// XGBoost's own C API, as Debian installs it.
#ifndef HEADRACE_CXGBOOST_H
#define HEADRACE_CXGBOOST_H

#include <xgboost/c_api.h>

#endif
