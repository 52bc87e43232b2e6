# One static library a module; its include root is cpp/, its dependencies are its link line.
add_library(tt_flags INTERFACE)
# -ffp-contract=off: a fused multiply-add would make the log hash depend on the compiler's mood.
target_compile_options(tt_flags INTERFACE -ffp-contract=off -Wall -Wextra -Wconversion -Wsign-conversion)
if(TIERTWIN_STRICT)
  target_compile_options(tt_flags INTERFACE -Werror)
endif()
if(TIERTWIN_SANITIZE)
  target_compile_options(tt_flags INTERFACE -fsanitize=${TIERTWIN_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(tt_flags INTERFACE -fsanitize=${TIERTWIN_SANITIZE})
endif()

function(tiertwin_module name)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/cpp/${name}/*.cpp)
  list(TRANSFORM arg_DEPENDS PREPEND tt_)
  if(sources)
    add_library(tt_${name} STATIC ${sources})
    target_include_directories(tt_${name} PUBLIC ${CMAKE_SOURCE_DIR}/cpp)
    target_link_libraries(tt_${name} PUBLIC ${arg_DEPENDS} PRIVATE tt_flags)
    # A module's files share one anonymous namespace then: what two of them need belongs into a header.
    set_target_properties(tt_${name} PROPERTIES UNITY_BUILD ${TIERTWIN_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  else()  # headers only
    add_library(tt_${name} INTERFACE)
    target_include_directories(tt_${name} INTERFACE ${CMAKE_SOURCE_DIR}/cpp)
    target_link_libraries(tt_${name} INTERFACE ${arg_DEPENDS})
  endif()
endfunction()
