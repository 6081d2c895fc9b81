#!/bin/sh
# guard.sh GATE: refuses a tool call of Codex that would spend a reset, or act in the person's place.
# Codex asks it for shell commands and for the tools that the matcher in hooks.json names.
set -uf
LC_ALL=C PATH=/usr/bin:/bin:$PATH
export LC_ALL PATH
umask 077

gate=${1:-}
input=$(cat)

case $input in
  *'"tool_name":"Bash"'*)
    case $input in
      *rate-limit-reset-credits/consume* | *rateLimitResetCredit/consume* | *consume_usage_reset*) ;;
      *resetbank* | *tui*)
        # A command of ours that is refused under Codex anyway; the text is JSON, where a quote or a line's end is escaped.
        gap='([[:space:]]|\\[nt"]|["'"'"'])+'
        word='[^-[:space:]"'"'"'][^[:space:]"'"'"']*'
        options="(-[^[:space:]]+$gap($word$gap)?)*"
        commands="(spend|queue|continue|login|invite|(hold|guard)$gap(on|off)|config$gap${options}set)"
        name='(^|[^A-Za-z0-9_-]|\\[nrt])(resetbank|-m('"$gap"')?tui)'
        # What hides from resetbank that an agent starts it: then its screen and its other commands cannot refuse.
        marks='CODEX_(THREAD_ID|TOOL_CALL_ID|SESSION_ID|CI|SANDBOX[A-Z_]*)'
        hides="(unset|-u|--unset)[^;&|]*$marks|$marks=|env$gap(-i|-|--ignore-environment)$gap"
        printf '%s\n' "$input" | grep -Eq "$name$gap$options$commands([^A-Za-z0-9_-]|\$)" ||
          { printf '%s\n' "$input" | grep -Eq "$name([^A-Za-z0-9_-]|\$)" && printf '%s\n' "$input" | grep -Eq "$hides"; } ||
          exit 0
        ;;
      *) exit 0 ;;
    esac
    ;;
esac

reason='resetbank: only the person may spend a banked reset or change how they are kept. Do not try another way: stop, say what you need, and ask the person to do it.'
printf '%s\n' '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"'"$reason"'"}}'

# A note that resetbank picks up, up to 64 of them, so that an agent in a circle cannot fill the disk.
case $gate in
  /*)
    [ -d "$gate/attempts" ] && [ "$(ls "$gate/attempts" | wc -l)" -lt 64 ] &&
      printf '%s\n%.4096s\n' "$(date +%s)" "$input" 2>/dev/null >"$gate/attempts/$$"
    ;;
esac
exit 0
