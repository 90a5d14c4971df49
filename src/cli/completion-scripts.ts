// What a shell loads to complete `stalewalk`: a few lines that ask the command itself (complete.ts).
import { COMPLETE, FILES } from "./complete.js";

const bash = `# bash completion of stalewalk. To load it: source <(stalewalk completion bash)
_stalewalk() {
    local line current=\${COMP_WORDS[COMP_CWORD]} files=
    [[ $current == "=" ]] && current=
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == "${FILES}" ]]; then files=1; else COMPREPLY+=("\${line%%$'\\t'*}"); fi
    done < <("\${COMP_WORDS[0]}" ${COMPLETE} -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ $files ]]; then
        compopt -o filenames 2>/dev/null
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    fi
}
complete -F _stalewalk stalewalk
`;

const zsh = `#compdef stalewalk
# zsh completion of stalewalk. To load it: source <(stalewalk completion zsh), or save it as _stalewalk in a folder of $fpath
_stalewalk() {
    local line files
    local -a found
    while IFS= read -r line; do
        if [[ $line == "${FILES}" ]]; then
            files=1
        elif [[ $line == *$'\\t'* ]]; then
            found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
        else
            found+=("\${line//:/\\\\:}")
        fi
    done < <("\${words[1]}" ${COMPLETE} -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
    (( $#found )) && _describe stalewalk found
    [[ -n $files ]] && _files
    return 0
}
if [[ $funcstack[1] == _stalewalk ]]; then _stalewalk "$@"; else compdef _stalewalk stalewalk; fi
`;

const fish = `# fish completion of stalewalk. To load it: stalewalk completion fish | source
function __stalewalk_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in ($words[1] ${COMPLETE} -- $words[2..-1] "$current" 2>/dev/null)
        if test "$line" = "${FILES}"
            __fish_complete_path "$current"
        else
            printf '%s\\n' "$line"
        end
    end
end
complete -c stalewalk -f -a '(__stalewalk_complete)'
`;

/** The scripts by shell. */
export const completionScripts = { bash, zsh, fish } as const;
