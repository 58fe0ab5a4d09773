# Terminals of JupyterLab in the Kubernetes course.
[ -r ~/.bashrc ] && . ~/.bashrc
# The variables of the cluster that a notebook used last; the line before this file says where they are.
[ -r "$k8s_lab_cluster" ] && . "$k8s_lab_cluster"
# Where JupyterLab's server itself is, nobody asked for: the course's folder, as for its notebooks' links.
[ "$PWD" -ef "/proc/$PPID/cwd" ] && cd "${JUPYTER_SERVER_ROOT:-.}"
k8s_lab_namespace() {
    local name=$(sed -n 's/.*namespace: *"\{0,1\}\([a-z0-9-]*\).*/\1/p' "$KUBECONFIG" 2> /dev/null | head -n 1)
    echo "${name:-default}"
}
PS1='\[\e[1m\][$(k8s_lab_namespace)]\[\e[0m\] \W \$ '
if command -v kubectl > /dev/null; then
    [ -r /usr/share/bash-completion/bash_completion ] && . /usr/share/bash-completion/bash_completion
    # What kubectl's completion takes from the package bash-completion, where that is missing.
    declare -F _get_comp_words_by_ref > /dev/null || _get_comp_words_by_ref() {
        words=("${COMP_WORDS[@]}") cword=$COMP_CWORD
        cur=${words[cword]} prev=${words[cword - 1]}
    }
    declare -F __ltrim_colon_completions > /dev/null || __ltrim_colon_completions() { :; }
    . <(kubectl completion bash)
    alias k=kubectl
    complete -o default -F __start_kubectl k
fi
