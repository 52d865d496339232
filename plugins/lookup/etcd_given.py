# What a run was given on its command line that the commands which it prints need as well: a module does not know it.
# It runs on the control node, on Python 2.7 with Ansible 2.9 as on Python 3 with today's ansible-core.
from __future__ import absolute_import, division, print_function

__metaclass__ = type

DOCUMENTATION = """
    name: etcd_given
    author: etcd-quorum-restore contributors
    short_description: What a run was given, for the commands that it prints
    description:
        - Returns one dictionary. Passwords that were typed are not in it, and neither are extra variables that were typed, since they may be secrets.
        - It is found through playbooks/lookup_plugins; group_vars hands it on to all modules.
    options: {}
"""

EXAMPLES = """
- name: Print it
  ansible.builtin.debug:
    msg: "{{ lookup('etcd_given') }}"
"""

RETURN = """
_raw:
    description:
        - C(options), words of the command line for the vault, the login and become, and files of extra variables, with absolute paths.
        - C(config), the ansible.cfg that is in force; empty where Ansible finds it from any directory.
    type: list
    elements: dict
"""

import os

from ansible import constants as C
from ansible import context
from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.lookup import LookupBase

# Each option, its name in Ansible, and the value that says nothing.
_GIVEN = (("--vault-id", "vault_ids", None), ("--vault-password-file", "vault_password_files", None), ("--ask-vault-pass", "ask_vault_pass", None),
          ("-u", "remote_user", None), ("--private-key", "private_key_file", None), ("-k", "ask_pass", None), ("-b", "become", None),
          ("--become-method", "become_method", "sudo"), ("--become-user", "become_user", "root"), ("-K", "become_ask_pass", None))


def absolute(path):
    """The path, from any directory; what is no file, such as prompt, as it is."""
    full = os.path.abspath(os.path.expanduser(path))
    return full if os.path.exists(full) else path


def vault_id(value):
    """NAME@FILE, or FILE."""
    label, at, path = value.rpartition("@")
    return label + at + absolute(path)


def options():
    words = []
    for option, key, usual in _GIVEN:
        value = context.CLIARGS.get(key)
        if value is True:
            words.append(option)
        elif value and value != usual:
            for each in value if isinstance(value, (list, tuple)) else [value]:
                words += [option, vault_id(each) if key == "vault_ids" else each]
    for each in context.CLIARGS.get("extra_vars") or []:
        if to_text(each).startswith(u"@"):
            words += ["-e", "@" + absolute(to_text(each)[1:])]
    return [to_text(word) for word in words]


def config():
    """A site's usual files are found wherever a command is run."""
    usual = (u"/etc/ansible/ansible.cfg", to_text(os.path.expanduser("~/.ansible.cfg")))
    path = to_text(C.CONFIG_FILE or u"")
    return u"" if path in usual else path


class LookupModule(LookupBase):
    def run(self, terms, variables=None, **kwargs):
        return [{"options": options(), "config": config()}]
