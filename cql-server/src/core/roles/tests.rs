use super::*;
use proptest::prelude::*;

fn role(member_of: &[&str]) -> Role {
    Role {
        member_of: member_of.iter().map(|name| (*name).to_owned()).collect(),
        ..Role::default()
    }
}

fn roles() -> Roles {
    let mut roles = Roles::default();
    for (name, member_of) in [
        ("amy", &["staff"][..]),
        ("staff", &["all", "gone"]),
        ("all", &[]),
        ("bob", &[]),
    ] {
        roles.by_name.insert(name.to_owned(), role(member_of));
    }
    roles
}

fn grant(roles: &mut Roles, role: &str, resource: &Resource, permission: Permission) {
    let grants = roles.grants.entry(role.to_owned()).or_default();
    grants.insert(resource.name(), Permissions::of(&[permission]));
}

fn table() -> Resource {
    Resource::Table("shop".to_owned(), "t".to_owned())
}

#[test]
fn members_of_members_are_members() {
    let roles = roles();
    assert_eq!(Vec::from_iter(roles.of("amy", true)), ["all", "amy", "staff"]);
    assert_eq!(Vec::from_iter(roles.of("amy", false)), ["amy", "staff"]);
}

#[test]
fn what_is_granted_on_a_parent_or_to_a_role_holds() {
    let keyspace = Resource::Keyspace("shop".to_owned());
    let mut roles = roles();
    grant(&mut roles, "all", &keyspace, Permission::Select);
    assert!(roles.may("amy", Permission::Select, &table()));
    assert!(!roles.may("amy", Permission::Modify, &table()));
    assert!(!roles.may("bob", Permission::Select, &table()));
    assert!(!roles.may("amy", Permission::Select, &Resource::AllKeyspaces));
    assert!(roles.permissions("amy", &table()).is_empty());
}

#[test]
fn who_is_granted_a_superuser_is_one() {
    let mut roles = roles();
    assert!(!roles.is_superuser("amy"));
    roles.by_name.get_mut("all").unwrap().is_superuser = true;
    assert!(roles.is_superuser("amy"));
    assert!(roles.may("amy", Permission::Drop, &table()));
    assert_eq!(roles.permissions("amy", &table()), table().applicable());
}

#[test]
fn a_circle_of_roles_ends() {
    let mut roles = roles();
    let all = roles.by_name.get_mut("all").unwrap();
    all.member_of.insert("amy".to_owned());
    assert_eq!(roles.of("amy", true).len(), 3);
}

fn resource() -> impl Strategy<Value = Resource> {
    let word = "[a-z_]{1,8}";
    prop_oneof![
        Just(Resource::AllKeyspaces),
        Just(Resource::AllRoles),
        Just(Resource::AllFunctions),
        Just(Resource::AllMbeans),
        word.prop_map(Resource::Keyspace),
        word.prop_map(Resource::AllTables),
        (word, word).prop_map(|(keyspace, table)| Resource::Table(keyspace, table)),
        "[a-z/:]{1,8}".prop_map(Resource::Role),
        word.prop_map(Resource::FunctionsOf),
        (word, word, prop::collection::vec(word, 0..3))
            .prop_map(|(keyspace, name, arguments)| Resource::Function(keyspace, name, arguments)),
        "[a-z/:=,*]{1,8}".prop_map(Resource::Mbean),
    ]
}

proptest! {
    #[test]
    fn a_resource_is_found_by_its_name(resource in resource()) {
        prop_assert_eq!(Resource::named(&resource.name()), Some(resource));
    }

    #[test]
    fn any_text_names_a_resource_or_none(name in ".{0,30}") {
        Resource::named(&name);
    }

    #[test]
    fn parents_end_at_a_root(resource in resource()) {
        let last = resource.chain().last().map(|root| root.name());
        prop_assert!(last.is_some_and(|name| !name.contains('/')));
    }
}
