// The one tree of errors. Whose fault it was is part of the type: `InvalidArgument` and `NotFound` are mistakes of the
// local caller, `Refused` is what a peer sent. Messages say what was expected, what came, where, and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace tiertwin {

class Error : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// A value outside its documented range, shape or type (Python: ValueError).
class InvalidArgument : public Error {
  public:
    using Error::Error;
};

// A name or id nobody registered (Python: KeyError).
class NotFound : public Error {
  public:
    using Error::Error;
};

// Bytes of a peer that break the protocol (Python: RuntimeError).
class Refused : public Error {
  public:
    using Error::Error;
};

}  // namespace tiertwin
